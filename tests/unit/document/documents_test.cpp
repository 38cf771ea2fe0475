// SPDX-License-Identifier: Apache-2.0
#include "userspace/document/documents.h"

#include <gtest/gtest.h>

#include <string>

namespace fairlead::document {
namespace {

TEST(Documents, JsonIsKnownByNameOrFirstCharacter) {
  for (const char* name : {"a.json", "a.yaml"}) {
    const auto documents = parse_documents(name, " \n{\"a\": 010e1}");
    ASSERT_FALSE(documents) << name << ": YAML would take that for a string";
    EXPECT_EQ(documents.error().line, 2u);
  }
  EXPECT_FALSE(parse_documents("a.json", "a: 1\n"));
  EXPECT_TRUE(parse_documents("a.yaml", "a: 1\n"));
}

TEST(Documents, JsonIsOneDocument) {
  const auto documents = parse_documents("a.json", "{\"kind\": \"List\", \"items\": [1, \"x\"]}\n");
  ASSERT_TRUE(documents);
  ASSERT_EQ(documents->size(), 1u);
  EXPECT_EQ(documents->front().at("items").as_array().size(), 2u);
  const auto two = parse_documents("a.json", "{}\n{}\n");
  ASSERT_FALSE(two);
  EXPECT_EQ(two.error().place(), "document 1, line 2, column 1");
}

TEST(Documents, JsonErrorsSayWhere) {
  const auto documents = parse_documents("a.json", "{\n  \"a\": 1,\n  b: 2\n}");
  ASSERT_FALSE(documents);
  EXPECT_EQ(documents.error().place(), "document 1, line 3, column 3");
  EXPECT_FALSE(documents.error().message.empty());
  EXPECT_FALSE(parse_documents("a.json", "{\"a\": 1")) << "cut off";
  EXPECT_FALSE(parse_documents("a.json", std::string(100'000, '['))) << "nested too deeply";
}

TEST(Documents, AByteOrderMarkIsNoText) {
  EXPECT_TRUE(parse_documents("a.json", "\xef\xbb\xbf{}"));
  const auto documents = parse_documents("a.yaml",
                                         "\xef\xbb\xbf"
                                         "a: 1\n---\nb: 2\n");
  ASSERT_TRUE(documents);
  EXPECT_EQ(documents->size(), 2u);
}

}  // namespace
}  // namespace fairlead::document
