// SPDX-License-Identifier: Apache-2.0
#include <map>
#include <regex>

#include "tests/e2e/following.h"

// What lbd's lists cost a cluster in which all nodes list at once: the API server answers them from its memory.
namespace fairlead::test {
namespace {

class ListsTest : public Following {
 protected:
  // How often the API server has asked etcd for a list so far, by what lbd follows.
  std::map<std::string, std::string> lists_of_etcd() const {
    static const std::regex kCounter(
        "apiserver_storage_list_total\\{.*resource=\"(services|endpointslices|nodes)\".*\\} (\\S+)");
    std::map<std::string, std::string> counts;
    const auto metrics = plane().kubectl({"get", "--raw", "/metrics"});
    EXPECT_TRUE(metrics) << metrics.error().message;
    std::istringstream lines(metrics ? *metrics : "");
    std::smatch counted;
    for (std::string line; std::getline(lines, line);)
      if (std::regex_match(line, counted, kCounter)) counts[counted[1]] = counted[2];
    return counts;
  }

  unsigned lists(const char* path) {
    const auto traffic = proxy().traffic_to(path, false);
    return traffic ? traffic->total : 0;
  }
};

TEST_F(ListsTest, AreAnsweredFromTheServersMemory) {
  ASSERT_NO_FATAL_FAILURE(apply("apiVersion: v1\nkind: Service\nmetadata: {name: web}\nspec: {ports: [{port: 80}]}\n"));
  const auto before = lists_of_etcd();
  ASSERT_EQ(before.size(), 3U);
  ASSERT_NO_FATAL_FAILURE(start());
  EXPECT_EQ(lists_of_etcd(), before);

  for (const char* path : {kServicesPath, kSlicesPath}) {
    ASSERT_EQ(lists(path), 1U);
    ASSERT_NO_FATAL_FAILURE(add_rule({{"path", path}, {"watch", true}, {"fault", "expired"}, {"count", 1}}));
  }
  ASSERT_TRUE(proxy().disconnect());
  EXPECT_TRUE(eventually(kSoon, [&] { return lists(kServicesPath) == 2 && lists(kSlicesPath) == 2; }));
  EXPECT_EQ(lists_of_etcd(), before) << "after a gap";
  expect_exact();
}

}  // namespace
}  // namespace fairlead::test
