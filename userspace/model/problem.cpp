// SPDX-License-Identifier: Apache-2.0
#include "userspace/model/problem.h"

namespace fairlead::model {

std::string Problem::to_string() const {
  std::string text;
  for (const std::string* part : {&where, &object, &field, &value, &message}) {
    if (part->empty()) continue;
    if (!text.empty()) text += ": ";
    text += *part;
  }
  return text;
}

}  // namespace fairlead::model
