// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace fairlead::datapath {

// As the kernel knows it, cut to 15 characters. Nothing where it may not be asked, which takes CAP_SYS_ADMIN, and where
// the program is gone.
std::optional<std::string> program_name(std::uint32_t id);

// Whether it has one of the names that lbd's programs have on devices. Nothing where program_name() has none.
std::optional<bool> is_program_of_ours(std::uint32_t id);

// The ids of the maps that it uses; none where it may not be asked.
std::vector<std::uint32_t> maps_of_program(std::uint32_t id);

}  // namespace fairlead::datapath
