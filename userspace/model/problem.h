// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

namespace fairlead::model {

// Something that somebody wrote and that cannot be honoured: where it stands, which object and field, the value, and
// why.
struct Problem {
  std::string where;   // file and document: "web.yaml, document 2"; empty for objects that have no file
  std::string object;  // "Service default/web"; empty where there is none, as in a file that does not parse
  std::string field;   // "spec.ports[0].port"; empty for the object as a whole
  std::string value;   // as written, shortened; empty where there is none
  std::string message;

  // "web.yaml, document 2: Service default/web: spec.ports[0].port: 0: must be between 1 and 65535"
  std::string to_string() const;

  auto operator<=>(const Problem&) const = default;
};

}  // namespace fairlead::model
