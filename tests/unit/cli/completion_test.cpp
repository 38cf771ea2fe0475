// SPDX-License-Identifier: Apache-2.0
#include "userspace/cli/completion.h"

#include <gmock/gmock.h>

namespace fairlead::cli {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

class CompletionTest : public testing::Test {
 protected:
  CompletionTest() {
    app_.add_flag("--verbose,-v");
    CLI::App* service = app_.add_subcommand("service");
    service->add_subcommand("list");
    service->add_subcommand("show")->add_option("service", text_)->type_name("NAMESPACE/NAME");
    app_.add_subcommand("status");
    app_.add_subcommand("__complete");
  }

  std::vector<std::string> complete(const std::vector<std::string>& words) {
    return cli::complete(app_, words, [] { return std::vector<std::string>{"default/web", "shop/web"}; });
  }

  CLI::App app_{"", "lbctl"};
  std::string text_;
};

TEST_F(CompletionTest, OffersWhatBeginsAlike) {
  EXPECT_THAT(complete({"s"}), ElementsAre("service", "status"));
  EXPECT_THAT(complete({"ser"}), ElementsAre("service"));
  EXPECT_THAT(complete({"--v"}), ElementsAre("--verbose"));
  EXPECT_THAT(complete({"x"}), IsEmpty());
  EXPECT_THAT(complete({}), ElementsAre("--help", "--verbose", "service", "status")) << "and nothing that is hidden";
}

TEST_F(CompletionTest, FollowsTheCommandsThatWereGiven) {
  EXPECT_THAT(complete({"service", "l"}), ElementsAre("list"));
  EXPECT_THAT(complete({"--verbose", "service", "l"}), ElementsAre("list"));
  EXPECT_THAT(complete({"service", "show", "sh"}), ElementsAre("shop/web"));
  EXPECT_THAT(complete({"service", "list", "sh"}), IsEmpty()) << "it takes none";
}

TEST(CompletionScript, IsThereForEachShellAndNoOther) {
  for (const char* shell : {"bash", "zsh", "fish"}) {
    const auto script = completion_script(shell);
    ASSERT_TRUE(script) << shell;
    EXPECT_THAT(*script, testing::HasSubstr("lbctl __complete -- ")) << shell;
  }
  EXPECT_FALSE(completion_script("tcsh"));
}

}  // namespace
}  // namespace fairlead::cli
