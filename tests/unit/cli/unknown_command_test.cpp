// SPDX-License-Identifier: Apache-2.0
#include "userspace/cli/unknown_command.h"

#include <gmock/gmock.h>

namespace fairlead::cli {
namespace {

TEST(UnknownCommand, IsTheFirstWordThatIsNone) {
  CLI::App app;
  std::string text;
  bool flag = false;
  app.add_option("-o,--output", text);
  app.add_flag("--quiet", flag);
  CLI::App* service = app.add_subcommand("service");
  service->add_subcommand("list");
  service->add_subcommand("show")->add_option("service", text);
  const std::pair<std::vector<std::string>, std::string> cases[] = {{{"foo"}, "foo"},
                                                                    {{"-o", "json", "foo", "list"}, "foo"},
                                                                    {{"--output=json", "foo"}, "foo"},
                                                                    {{"--quiet", "foo"}, "foo"},
                                                                    {{"service", "lst"}, "lst"},
                                                                    {{"service", "-o", "json", "lst"}, "lst"},
                                                                    {{"service", "show", "default/web"}, ""},
                                                                    {{"service"}, ""},
                                                                    {{"-o"}, ""},
                                                                    {{}, ""}};
  for (const auto& [words, expected] : cases)
    EXPECT_EQ(unknown_command(app, words), expected) << testing::PrintToString(words);
}

}  // namespace
}  // namespace fairlead::cli
