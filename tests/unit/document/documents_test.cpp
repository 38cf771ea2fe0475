// SPDX-License-Identifier: Apache-2.0
#include "userspace/document/documents.h"

#include <gtest/gtest.h>

#include <string>

namespace fairlead::document {
namespace {

TEST(Documents, AFileThatIsNamedJsonIsJson) {
  EXPECT_FALSE(parse_documents("a.json", "a: 1\n"));
  EXPECT_TRUE(parse_documents("a.yaml", "a: 1\n"));
  const auto documents = parse_documents("a.json", " \n{\"a\": 010e1}");
  ASSERT_FALSE(documents) << "YAML takes that for a string";
  EXPECT_EQ(documents.error().line, 2u);
}

TEST(Documents, JsonIsOneDocument) {
  const auto documents = parse_documents("a.json", "{\"kind\": \"List\", \"items\": [1, \"x\"]}\n");
  ASSERT_TRUE(documents);
  ASSERT_EQ(documents->size(), 1u);
  EXPECT_EQ(documents->front().at("items").as_array().size(), 2u);
}

TEST(Documents, JsonDocumentsMayStandInARow) {
  for (const char* name : {"a.json", "a.yaml"}) {
    const auto documents = parse_documents(name, "{\"a\": 1}\n{\"a\": 2}[3]\n\n");
    ASSERT_TRUE(documents) << name << ": " << documents.error().place() << ": " << documents.error().message;
    ASSERT_EQ(documents->size(), 3u);
    EXPECT_EQ(documents->at(1).at("a").as_int64(), 2);
  }
  const auto broken = parse_documents("a.json", "{}\n{} x\n");
  ASSERT_FALSE(broken);
  EXPECT_EQ(broken.error().place(), "document 3, line 2, column 4");
  EXPECT_FALSE(parse_documents("a.json", "{}\n{")) << "cut off";
}

TEST(Documents, YamlMayBeginLikeJson) {
  const auto documents = parse_documents("a.yaml", "{a: 1, b: [x, y]}\n---\nc: 2\n");
  ASSERT_TRUE(documents) << documents.error().place() << ": " << documents.error().message;
  ASSERT_EQ(documents->size(), 2u);
  EXPECT_EQ(documents->front().at("b").as_array().size(), 2u);
  EXPECT_TRUE(parse_documents("a.yaml", "[a, b]\n"));
  for (const char* text : {"{a: 1, b: [x", "{\"a\": 1", "{\"a\": \"x"})
    EXPECT_FALSE(parse_documents("a.yaml", text)) << text << " is cut off";
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
