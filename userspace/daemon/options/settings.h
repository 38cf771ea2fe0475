// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "userspace/daemon/options/values.h"

namespace fairlead::daemon {

// Which document of a configuration file has a field.
enum class Home {
  kNone,
  kKubeProxy,  // KubeProxyConfiguration
  kFairlead,   // FairleadConfiguration
};

struct Field {
  Home home = Home::kNone;
  std::string path;  // "conntrack.udpTimeout"
};

// An option of lbd: its names and its value. The command line, the documents and --help are made from a list of these,
// so that an option is described in one place and means the same wherever it is given.
struct Setting {
  std::string flag;  // without dashes; empty: only in documents
  Field field;
  std::string group;
  std::string help;
  Value value;
  bool zero_is_default = false;
  bool empty_counts = false;  // as a value of its own, though not in a KubeProxyConfiguration; else it is the default
  bool is_alias = false;      // another setting writes the value
  bool for_cleanup = false;   // --cleanup goes by it
  Texts fallback{};           // its default, as it shows itself
  bool given = false;

  // What is wrong with the texts; empty: nothing. In a document an empty value says nothing.
  std::string set_from_flag(const Texts& texts);
  std::string set_from_document(const Texts& texts);

 private:
  bool is_default(const Texts& texts) const;
  std::string set(const Texts& texts);
};

// What is to be said about flags and documents. Errors are what lbd can't start with.
struct Remarks {
  std::vector<std::string> errors, warnings, notes;
};

// Those of `options`, which have their defaults and must outlive the result.
std::vector<Setting> make_settings(Options& options);

// Null where there is none.
Setting* find_flag(std::vector<Setting>& settings, std::string_view flag);
Setting* find_field(std::vector<Setting>& settings, Home home, std::string_view path);

}  // namespace fairlead::daemon
