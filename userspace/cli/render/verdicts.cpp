// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <cctype>

#include "userspace/cli/render/render.h"
#include "userspace/cli/table.h"

namespace fairlead::cli {
namespace {

// ">TC INGRESS" of tc_ingress.
std::string heading(const std::string& hook) {
  std::string text = ">";
  for (const char c : hook)
    text += c == '_' ? ' ' : static_cast<char>(std::toupper(static_cast<unsigned char>(c)));
  return text;
}

std::uint64_t packets(const admin::HookView& hook, const std::string& verdict) {
  const auto it = std::ranges::find(hook.verdicts, verdict, &admin::VerdictView::name);
  return it == hook.verdicts.end() ? 0 : it->packets;
}

std::vector<std::string> headings(const std::vector<admin::HookView>& hooks) {
  std::vector<std::string> headings{"VERDICT", "KIND"};
  for (const admin::HookView& hook : hooks)
    headings.push_back(heading(hook.hook));
  headings.push_back("MEANING");
  return headings;
}

}  // namespace

// Every hook tells of the same verdicts.
std::string render_verdicts(const std::vector<admin::HookView>& hooks, bool nonzero) {
  if (hooks.empty()) return "no hooks\n";
  Table table(headings(hooks));
  for (const admin::VerdictView& verdict : hooks.front().verdicts) {
    std::vector<std::string> cells{verdict.name, admin::to_string(verdict.kind)};
    std::uint64_t sum = 0;
    for (const admin::HookView& hook : hooks) {
      const std::uint64_t counted = packets(hook, verdict.name);
      sum += counted;
      cells.push_back(std::to_string(counted));
    }
    cells.push_back(verdict.meaning);
    if (sum || !nonzero) table.add(std::move(cells));
  }
  return table.empty() ? "nothing counted yet\n" : table.text();
}

}  // namespace fairlead::cli
