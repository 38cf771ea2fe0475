// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "userspace/document/documents.h"
#include "userspace/source/decode.h"

namespace fairlead::source {

inline Decoded decode(std::string_view text) {
  Decoded decoded;
  const auto documents = document::parse_documents("test.yaml", text);
  EXPECT_TRUE(documents) << documents.error().place() << ": " << documents.error().message;
  for (std::size_t i = 0; documents && i < documents->size(); ++i)
    decode_document((*documents)[i], "document " + std::to_string(i + 1), decoded);
  return decoded;
}

// What is wrong, without where it stands.
inline std::vector<std::string> complaints(const Decoded& decoded) {
  std::vector<std::string> result;
  for (model::Problem problem : decoded.problems) {
    problem.where.clear();
    result.push_back(problem.to_string());
  }
  return result;
}

// The only object that the text asks for; null when it can't be used.
template <class T>
std::shared_ptr<const T> only(const Decoded& decoded) {
  EXPECT_EQ(decoded.items.size(), 1u);
  if (decoded.items.size() != 1) return nullptr;
  return decoded.items[0].value.as<T>();
}

}  // namespace fairlead::source
