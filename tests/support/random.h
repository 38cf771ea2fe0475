// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <cstdlib>
#include <random>
#include <string>

namespace fairlead::test {

// Randomness for tests, another at each run; what a run found is found again with FAIRLEAD_SEED set to the seed that
// it has printed: SCOPED_TRACE(random.seed_text()).
class Random {
 public:
  Random() : Random(choose_seed()) {}
  explicit Random(std::uint32_t seed) : seed_(seed), engine_(seed) {}

  std::string seed_text() const { return "FAIRLEAD_SEED=" + std::to_string(seed_); }

  // Both ends included.
  std::uint32_t between(std::uint32_t least, std::uint32_t most) {
    return std::uniform_int_distribution<std::uint32_t>(least, most)(engine_);
  }
  bool one_in(std::uint32_t n) { return between(1, n) == 1; }

  template <class Container>
  auto& any_of(Container& container) {
    return *std::next(container.begin(), between(0, static_cast<std::uint32_t>(container.size()) - 1));
  }

 private:
  static std::uint32_t choose_seed() {
    const char* text = std::getenv("FAIRLEAD_SEED");
    return text ? static_cast<std::uint32_t>(std::strtoul(text, nullptr, 10)) : std::random_device{}();
  }

  std::uint32_t seed_;
  std::mt19937 engine_;
};

}  // namespace fairlead::test
