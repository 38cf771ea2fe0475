// SPDX-License-Identifier: Apache-2.0
#include "userspace/document/yaml.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>
#include <string>

namespace fairlead::document {
namespace {

namespace json = boost::json;

// The text's only document.
json::value yaml(std::string_view text) {
  const auto documents = parse_yaml(text);
  EXPECT_TRUE(documents) << text << "\n" << documents.error().place() << ": " << documents.error().message;
  EXPECT_TRUE(!documents || documents->size() == 1) << text;
  return documents && documents->size() == 1 ? documents->front() : json::value("none");
}

std::string error(std::string_view text) {
  const auto documents = parse_yaml(text);
  return documents ? "none" : documents.error().place() + ": " + documents.error().message;
}

struct Scalar {
  const char* text;
  const char* as_json;
};

void PrintTo(const Scalar& scalar, std::ostream* out) {
  *out << scalar.text;
}

class Scalars : public testing::TestWithParam<Scalar> {};

TEST_P(Scalars, MeanWhatTheyMeanToKubernetes) {
  EXPECT_EQ(yaml("x: " + std::string(GetParam().text)).at("x"), json::parse(GetParam().as_json));
}

INSTANTIATE_TEST_SUITE_P(Words, Scalars,
                         testing::Values(Scalar{"true", "true"}, Scalar{"Yes", "true"}, Scalar{"on", "true"},
                                         Scalar{"y", "true"}, Scalar{"FALSE", "false"}, Scalar{"no", "false"},
                                         Scalar{"Off", "false"}, Scalar{"N", "false"}, Scalar{"tRUE", "\"tRUE\""},
                                         Scalar{"", "null"}, Scalar{"~", "null"}, Scalar{"Null", "null"},
                                         Scalar{"nULL", "\"nULL\""}, Scalar{"web", "\"web\""}));
INSTANTIATE_TEST_SUITE_P(Numbers, Scalars,
                         testing::Values(Scalar{"80", "80"}, Scalar{"-3", "-3"}, Scalar{"+4", "4"},
                                         Scalar{"0x1F", "31"}, Scalar{"0o17", "15"}, Scalar{"017", "15"},
                                         Scalar{"08", "8.0"}, Scalar{"0b11", "3"}, Scalar{"1_000", "1000"},
                                         Scalar{"1.5", "1.5"}, Scalar{"1e3", "1000.0"}, Scalar{".5", "0.5"},
                                         Scalar{"+.5", "0.5"}, Scalar{"18446744073709551615", "18446744073709551615"},
                                         Scalar{"-9223372036854775808", "-9223372036854775808"}));
INSTANTIATE_TEST_SUITE_P(Strings, Scalars,
                         testing::Values(Scalar{"\"80\"", "\"80\""}, Scalar{"'true'", "\"true\""}, Scalar{"''", "\"\""},
                                         Scalar{"10.0.0.1", "\"10.0.0.1\""}, Scalar{"2001-12-14", "\"2001-12-14\""},
                                         Scalar{"12:30:45", "\"12:30:45\""}, Scalar{"1.2.3", "\"1.2.3\""},
                                         Scalar{"0x", "\"0x\""}, Scalar{"--5", "\"--5\""}, Scalar{"inf", "\"inf\""},
                                         Scalar{"-inf", "\"-inf\""}, Scalar{"+", "\"+\""}, Scalar{"1e999", "\"1e999\""},
                                         Scalar{"!!str 12", "\"12\""}, Scalar{"!!int \"12\"", "12"},
                                         Scalar{"\"\\u00e9\\t\"", "\"\\u00e9\\t\""}));

TEST(Yaml, HasManyDocuments) {
  const auto documents = parse_yaml("# first\n---\na: 1\n---\n---\nb: 2\n...\n");
  ASSERT_TRUE(documents);
  EXPECT_EQ(json::value(json::array(documents->begin(), documents->end())), json::parse(R"([{"a":1},null,{"b":2}])"));
}

TEST(Yaml, IsReadAlsoWithForeignLineEndsAndWithoutAnEnd) {
  EXPECT_EQ(yaml("a: 1\r\nb:\r\n- c\r\n"), json::parse(R"({"a":1,"b":["c"]})"));
  EXPECT_EQ(yaml("a: 1\nb: \"x\""), json::parse(R"({"a":1,"b":"x"})"));
}

TEST(Yaml, KeysBecomeStrings) {
  EXPECT_EQ(yaml("{80: a, yes: b, 1.5: c, '0x10': d, 0x10: e}"),
            json::parse(R"({"80":"a","true":"b","1.5":"c","0x10":"d","16":"e"})"));
  EXPECT_EQ(error("? [a]\n: b\n"), "document 1, line 1, column 3: a map's key must be a scalar");
  EXPECT_EQ(error("~: b\n"), "document 1, line 1, column 1: a map's key must be a string, number or boolean");
}

TEST(Yaml, AliasesAreCopies) {
  EXPECT_EQ(yaml("a: &x {b: [1]}\nc: *x\nd: [*x, &y z, *y]\n"),
            json::parse(R"({"a":{"b":[1]},"c":{"b":[1]},"d":[{"b":[1]},"z","z"]})"));
}

TEST(Yaml, AnchorsEndWithTheirDocument) {
  // Newer libraries add the anchor's name.
  EXPECT_THAT(error("a: &x 1\n---\nb: *x\n"),
              testing::StartsWith("document 2, line 3, column 4: the referenced anchor is not defined"));
  EXPECT_EQ(error("a: &x [*x]\n"), "document 1, line 1, column 8: the alias stands inside of what it refers to");
}

TEST(Yaml, MergedMembersGiveWayToTheMapsOwn) {
  constexpr const char* kText = R"(
base: &base {protocol: TCP, port: 80}
other: &other {port: 81, name: other}
before: {<<: *base, port: 1}
after: {port: 1, <<: *base}
both: {<<: [*base, *other]}
twice:
  <<: *other
  <<: *base
)";
  const json::value value = yaml(kText);
  EXPECT_EQ(value.at("before"), json::parse(R"({"protocol":"TCP","port":1})"));
  EXPECT_EQ(value.at("after"), json::parse(R"({"protocol":"TCP","port":1})"));
  EXPECT_EQ(value.at("both"), json::parse(R"({"protocol":"TCP","port":80,"name":"other"})"));
  EXPECT_EQ(value.at("twice"), json::parse(R"({"protocol":"TCP","port":81,"name":"other"})"));
  EXPECT_EQ(yaml("'<<': 1"), json::parse(R"({"<<":1})")) << "quoted, it is a key like others";
  EXPECT_EQ(error("<<: 1\n"), "document 1, line 1, column 5: only maps can be merged");
}

TEST(Yaml, ErrorsSayWhere) {
  EXPECT_EQ(error("a: 1\n---\nb: 2\nb: 3\n"), "document 2, line 4, column 1: the key 'b' stands twice in the map");
  EXPECT_EQ(error("a:\n  b: [1, 2\nc: 3\n").substr(0, 23), "document 1, line 3, col");
  EXPECT_EQ(error("a: .inf\n"), "document 1, line 1, column 4: JSON has no such number: .inf");
  EXPECT_EQ(error("a: 1\nb: \xff\n"), "document 1, line 2, column 4: not UTF-8");
  EXPECT_EQ(error("a: \"\\N\"\n"), "document 1, line 1, column 4: an escape stands for no character");
}

// What the parser itself lets pass.
TEST(Yaml, TheEndOfADocumentIsMarked) {
  EXPECT_EQ(error("- a\nb: 1\n"), "document 2, line 2, column 1: expected the end of the document or '---'");
  EXPECT_EQ(error("{a: 1}\n{b: 2}\n"), "document 2, line 2, column 1: expected the end of the document or '---'");
}

TEST(Yaml, ATextCutOffInAWordIsAnError) {
  constexpr const char* kKey = "document 1, line 3, column 3: expected ':' after the key";
  EXPECT_EQ(error("spec:\n  type: ClusterIP\n  externalI"), kKey);
  EXPECT_EQ(error("spec:\n  type: ClusterIP\n  externalI\n"), kKey);
  EXPECT_EQ(error("spec:\n  type: ClusterIP\n  externalI\n---\na: 1\n"), kKey);
  EXPECT_EQ(error("spec:\n  type: 'Clust\n").substr(0, 26), "document 1, line 3, column");
  EXPECT_NE(error("spec:\n  type: \"Clust"), "none");
  EXPECT_NE(error("spec:\n  type: \""), "none");
  EXPECT_NE(error("spec: {type: 'Clust"), "none");
  EXPECT_EQ(yaml("? a\n"), json::parse(R"({"a":null})")) << "this form needs no colon";
  EXPECT_EQ(yaml("{a, b: 1}"), json::parse(R"({"a":null,"b":1})")) << "nor does this one";
}

TEST(Yaml, DepthIsBounded) {
  std::string lists;
  for (int i = 0; i < 100'000; ++i)
    lists += "- ";
  EXPECT_EQ(error(lists), "document 1, line 1, column 201: nested too deeply");
  EXPECT_NE(error(std::string(100'000, '[')), "none");
  std::string text = "a0: &a0 " + std::string(60, '[') + std::string(60, ']') + "\n";
  text += "a1: " + std::string(60, '[') + "*a0" + std::string(60, ']') + "\n";
  EXPECT_EQ(error(text), "document 1, line 2, column 65: nested too deeply");
}

TEST(Yaml, ExpansionIsBounded) {
  std::string aliases = "a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n";
  std::string merges = "a0: &a0 {a: x, b: x, c: x, d: x}\n";
  for (int i = 1; i < 12; ++i) {
    const std::string anchor = "a" + std::to_string(i), last = "*a" + std::to_string(i - 1);
    aliases += anchor + ": &" + anchor + " [";
    for (int j = 0; j < 10; ++j)
      aliases += last + ", ";
    aliases += "]\n";
  }
  merges += "list: &list\n";
  for (int i = 0; i < 3000; ++i)
    merges += "- *a0\n";
  for (int i = 0; i < 1000; ++i)
    merges += "m" + std::to_string(i) + ": {<<: *list}\n";
  EXPECT_NE(error(aliases).find("anchors and aliases make this text too large"), std::string::npos);
  EXPECT_NE(error(merges).find("anchors and aliases make this text too large"), std::string::npos);
}

}  // namespace
}  // namespace fairlead::document
