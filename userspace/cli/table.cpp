// SPDX-License-Identifier: Apache-2.0
#include "userspace/cli/table.h"

#include <libsmartcols/libsmartcols.h>
#include <spdlog/fmt/fmt.h>

#include <array>
#include <cstdlib>
#include <memory>

namespace fairlead::cli {

std::string Table::text() const {
  const std::unique_ptr<libscols_table, void (*)(libscols_table*)> table(scols_new_table(), scols_unref_table);
  // Whoever reads or greps wants whole values, whatever the terminal's width.
  scols_table_set_termwidth(table.get(), 4096);
  scols_table_set_column_separator(table.get(), "  ");
  for (const std::string& heading : headings_) {
    const bool right = heading.starts_with('>');
    scols_table_new_column(table.get(), heading.c_str() + (right ? 1 : 0), 0, right ? SCOLS_FL_RIGHT : 0);
  }
  for (const auto& row : rows_) {
    libscols_line* line = scols_table_new_line(table.get(), nullptr);
    for (std::size_t i = 0; i < row.size(); ++i)
      scols_line_set_data(line, i, row[i].c_str());
  }
  char* text = nullptr;
  if (scols_print_table_to_string(table.get(), &text) || !text) return {};
  const std::unique_ptr<char, void (*)(void*)> owned(text, std::free);
  // The library leaves the last line open.
  return std::string(text) + "\n";
}

std::string bytes_text(std::uint64_t bytes) {
  static constexpr std::array kUnits{"B", "KiB", "MiB", "GiB", "TiB", "PiB"};
  double value = static_cast<double>(bytes);
  std::size_t unit = 0;
  for (; value >= 1024 && unit + 1 < kUnits.size(); ++unit)
    value /= 1024;
  return unit == 0 ? fmt::format("{} B", bytes) : fmt::format("{:.1f} {}", value, kUnits[unit]);
}

std::string seconds_text(std::int64_t seconds) {
  if (seconds < 0) return "expired";
  if (seconds < 60) return fmt::format("{}s", seconds);
  if (seconds < 3600) return fmt::format("{}m {}s", seconds / 60, seconds % 60);
  if (seconds < 86400) return fmt::format("{}h {}m", seconds / 3600, seconds / 60 % 60);
  return fmt::format("{}d {}h", seconds / 86400, seconds / 3600 % 24);
}

}  // namespace fairlead::cli
