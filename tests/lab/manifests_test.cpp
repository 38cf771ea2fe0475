// SPDX-License-Identifier: Apache-2.0
#include <optional>
#include <sstream>

#include "tests/lab/scenario.h"

// Manifests that cannot be honoured: each is reported by file, object and field, nothing else suffers from it, what was
// good before stays in force, and a mended file is the end of it.
namespace fairlead::test {
namespace {

using testing::AllOf;
using testing::Contains;
using testing::Field;
using testing::HasSubstr;
using testing::IsEmpty;
using Problems = std::vector<admin::ProblemView>;

class Manifests : public Scenario {
 protected:
  // One service that is good, in web.yaml, with connections through it; each test then adds its mischief.
  void serve() {
    ASSERT_NO_FATAL_FAILURE(build({.nodes = 2, .pods = 1}));
    add_daemon(1);
    ASSERT_NO_FATAL_FAILURE(put_good());
    ASSERT_NO_FATAL_FAILURE(start_daemons());
    ASSERT_THAT(problems(), IsEmpty());
    auto hold = Hold::start(*lab_, lab_->client(), vip_of(10, Family::IPv4), 8);
    ASSERT_TRUE(hold) << hold.error().message;
    hold_ = std::move(*hold);
  }

  void put_good() { put(web_, web_backends()); }
  std::vector<Backend> web_backends() const { return {backend(1, 1), backend(2, 1)}; }

  // web.yaml with other text.
  void put_web(const std::string& text) {
    const auto written = daemon().put("web.yaml", text);
    ASSERT_TRUE(written) << written.error().message;
  }

  Problems problems() {
    const auto found = daemon().query<Problems>({"problems"});
    EXPECT_TRUE(found) << found.error().message;
    return found ? *found : Problems{};
  }

  // What is reported once `count` problems are.
  Problems wait_for_problems(std::size_t count) {
    EXPECT_TRUE(eventually(kSoon, [&] { return problems().size() == count; }));
    return problems();
  }

  // The good service is served as ever, and what was held all the time is unbroken.
  void expect_untouched() {
    for (const Family family : kFamilies)
      for (const Transport transport : kTransports) {
        const AskReport report = ask(transport, vip_of(10, family), {.count = 40});
        EXPECT_EQ(report.failed, 0U) << name_of(transport) << testing::PrintToString(report.failures);
        EXPECT_EQ(report.servers.size(), 2U) << name_of(transport);
      }
  }

  void expect_held() {
    const auto connections = hold_->finish();
    ASSERT_TRUE(connections) << connections.error().message;
    for (const HeldConnection& connection : *connections)
      EXPECT_EQ(connection.broken, "") << connection.server;
  }

  // That the mended file is the end of the trouble.
  void expect_mended() {
    ASSERT_NO_FATAL_FAILURE(put_good());
    EXPECT_THAT(wait_for_problems(0), IsEmpty());
    EXPECT_TRUE(balances_over(daemon(), "default/web", 2));
    expect_untouched();
    expect_held();
  }

  ServiceText web_{.node_port = 30080};
  std::optional<Hold> hold_;
};

auto about(const std::string& where, const std::string& object, const std::string& field) {
  return AllOf(Field("where", &admin::ProblemView::where, HasSubstr(where)),
               Field("object", &admin::ProblemView::object, object), Field("field", &admin::ProblemView::field, field));
}

auto saying(const std::string& message) {
  return Field("message", &admin::ProblemView::message, HasSubstr(message));
}

// A field of the service that is wrong: its last good version stays.
struct Mistake {
  std::string name;
  ServiceText service;
  std::string field;
  std::string value;
};

std::ostream& operator<<(std::ostream& out, const Mistake& mistake) {
  return out << mistake.name;
}

class MistakenService : public Manifests, public testing::WithParamInterface<Mistake> {};

TEST_P(MistakenService, KeepsItsLastGoodVersion) {
  ASSERT_NO_FATAL_FAILURE(serve());
  ServiceText wrong = GetParam().service;
  wrong.node_port = web_.node_port;
  ASSERT_NO_FATAL_FAILURE(put(wrong, web_backends()));
  // What follows from a mistake may be reported with it.
  ASSERT_TRUE(eventually(kSoon, [&] { return problems().size() >= 2; }));
  const Problems found = problems();
  EXPECT_THAT(found, Contains(AllOf(about("web.yaml, document 1", "Service default/web", GetParam().field),
                                    Field("value", &admin::ProblemView::value, HasSubstr(GetParam().value)))));
  EXPECT_THAT(found, Contains(AllOf(about("web.yaml, document 1", "Service default/web", ""),
                                    saying("its last good version stays in force"))));
  EXPECT_EQ(daemon().query<admin::StatusView>({"status"})->problems, found.size());
  EXPECT_THAT(daemon().log(), HasSubstr("web.yaml, document 1: Service default/web: " + GetParam().field + ": "));
  expect_untouched();
  expect_mended();
  EXPECT_THAT(daemon().log(), HasSubstr("solved: web.yaml, document 1: Service default/web: " + GetParam().field));
}

INSTANTIATE_TEST_SUITE_P(
    , MistakenService,
    testing::Values(Mistake{"WrongType", {.port_text = "[80]"}, "spec.ports[0].port", "80"},
                    Mistake{"PortZero", {.port_text = "0"}, "spec.ports[0].port", "0"},
                    Mistake{"PortTooLarge", {.port_text = "65536"}, "spec.ports[0].port", "65536"},
                    Mistake{"UnknownServiceType", {.type = "Balancer"}, "spec.type", "Balancer"},
                    Mistake{"GarbageAddress", {.spec = {"clusterIP: 10.96.0.256"}}, "spec.clusterIP", "10.96.0.256"}),
    [](const auto& info) { return info.param.name; });

// A file's name may be any bytes: its problem is told, with all others, and in the log.
TEST_F(Manifests, AFileNameThatIsNotUtf8HidesNothing) {
  ASSERT_NO_FATAL_FAILURE(build({.nodes = 1, .pods = 1}));
  add_daemon(1, {.more = {{"--logging-format", "json"}}});
  ASSERT_TRUE(daemon().put("caf\xe9.yaml", ""));
  ASSERT_TRUE(daemon().put("empty.yaml", ""));
  const auto started = daemon().start(Daemon::kAnswers);
  ASSERT_TRUE(started) << started.error().message;
  EXPECT_THAT(wait_for_problems(2),
              testing::UnorderedElementsAre(Field(&admin::ProblemView::where, "empty.yaml"),
                                            Field(&admin::ProblemView::where, "caf\xef\xbf\xbd.yaml")));
  std::istringstream log(daemon().log());
  for (std::string line; std::getline(log, line);) {
    boost::system::error_code error;
    boost::json::parse(line, error);
    EXPECT_FALSE(error) << line;
  }
  EXPECT_THAT(daemon().log(), HasSubstr("caf\xef\xbf\xbd.yaml"));
}

// Endpoints are many, so one that is wrong is left out and the others count.
TEST_F(Manifests, EndpointWithGarbageAddress) {
  ASSERT_NO_FATAL_FAILURE(serve());
  std::string text = manifest(web_, web_backends());
  const std::string address = lab_->pod(2, 1).ipv4.to_string();
  text.replace(text.find(address), address.size(), "10.210.2.x");
  ASSERT_NO_FATAL_FAILURE(put_web(text));
  const Problems found = wait_for_problems(1);
  EXPECT_THAT(found,
              Contains(about("web.yaml, document 2", "EndpointSlice default/web-4", "endpoints[1].addresses[0]")));
  const AskReport report = ask(Transport::Tcp, vip_of(10, Family::IPv4));
  EXPECT_EQ(report.failed, 0U);
  EXPECT_THAT(names(report.servers), testing::ElementsAre("node1-pod1"));
  ASSERT_NO_FATAL_FAILURE(put_good());
  EXPECT_THAT(wait_for_problems(0), IsEmpty());
}

// Of two services that claim one address and port one gets it, whole and always the same; the rest of the other counts.
TEST_F(Manifests, TwoServicesOnOneVip) {
  ASSERT_NO_FATAL_FAILURE(serve());
  const ServiceText twin{.name = "web-twin", .spec = {"externalIPs: [192.0.2.20]"}};
  ASSERT_NO_FATAL_FAILURE(put(twin, {backend(2, 1)}));
  // Two addresses in the cluster and two outside, by two protocols.
  const Problems found = wait_for_problems(8);
  EXPECT_THAT(found, Contains(AllOf(about("", "Service default/web-twin", ""),
                                    Field("value", &admin::ProblemView::value, HasSubstr("192.0.2.10:80")),
                                    saying("is already used by Service default/web"))));
  expect_untouched();
  EXPECT_EQ(ask(Transport::Tcp, vip_of(20, Family::IPv4)).answered, 60U);
  ASSERT_TRUE(daemon().remove("web-twin.yaml"));
  EXPECT_THAT(wait_for_problems(0), IsEmpty());
  expect_held();
}

TEST_F(Manifests, HugeFileIsNotRead) {
  ASSERT_NO_FATAL_FAILURE(serve());
  ASSERT_NO_FATAL_FAILURE(put_web(manifest(web_, web_backends()) + "# " + std::string(10 << 20, 'x') + "\n"));
  const Problems found = wait_for_problems(1);
  EXPECT_THAT(found, Contains(AllOf(about("web.yaml", "", ""), saying("is larger than the limit of 4194304 bytes"),
                                    saying("its last good version stays in force"))));
  expect_untouched();
  expect_mended();
}

// At every place where a writer may have been interrupted: what is left is not understood, or it is good YAML that says
// less. Then either the object is incomplete, and its last good version stays, or it is the end of a list that is
// missing, which nobody can tell.
TEST_F(Manifests, HalfWrittenFile) {
  ASSERT_NO_FATAL_FAILURE(serve());
  const std::string whole = manifest(web_, web_backends());
  for (const char* cut : {"metadata: {na", "clusterIPs: [10.96", "  ports:\n", "{name: tcp, protocol: TCP, po",
                          "addressTy", "labels: {kube"}) {
    SCOPED_TRACE(cut);
    ASSERT_TRUE(daemon().scribble("web.yaml", whole.substr(0, whole.find(cut) + std::string_view(cut).size())));
    ASSERT_TRUE(eventually(kSoon, [&] { return !problems().empty(); }));
    for (const admin::ProblemView& problem : problems())
      EXPECT_THAT(problem.where, HasSubstr("web.yaml"));
    const AskReport report = ask(Transport::Tcp, vip_of(10, Family::IPv4), {.count = 20});
    EXPECT_EQ(report.failed, 0U) << testing::PrintToString(report.failures);
    ASSERT_TRUE(daemon().scribble("web.yaml", whole));
    EXPECT_THAT(wait_for_problems(0), IsEmpty());
  }
  expect_mended();
}

// A directory full of mischief beside the good file.
TEST_F(Manifests, OtherFilesDoNotSuffer) {
  ASSERT_NO_FATAL_FAILURE(serve());
  const std::pair<std::string, std::string> mischief[] = {
      {"empty.yaml", ""},
      {"tabs.yaml", "kind: Service\n\tapiVersion: v1\n"},
      {"binary.yaml", std::string("\0\xff\xfe\x80 Service", 12)},
      {"list.json", R"({"kind": "List", "items": [{"kind": "Service"}]})"},
      {"cut.json", R"({"kind": "Service", "metadata": {"name": "x")"}};
  for (const auto& [file, text] : mischief)
    ASSERT_TRUE(daemon().put(file, text));
  ASSERT_NO_FATAL_FAILURE(put({.name = "late", .number = 30}, {backend(2, 1)}));
  ASSERT_TRUE(balances_over(daemon(), "default/late", 1));
  EXPECT_EQ(ask(Transport::Udp, vip_of(30, Family::IPv6)).failed, 0U);
  const Problems found = problems();
  for (const auto& [file, text] : mischief)
    EXPECT_THAT(found, Contains(Field("where", &admin::ProblemView::where, HasSubstr(file))));
  expect_untouched();
  for (const auto& [file, text] : mischief)
    ASSERT_TRUE(daemon().remove(file));
  EXPECT_THAT(wait_for_problems(0), IsEmpty());
  expect_held();
}

// A directory that is bad from the start: what is good in it is served, and nothing of an earlier daemon is taken away
// for objects that cannot be read.
TEST_F(Manifests, RestartOverABrokenFileKeepsWhatWasServed) {
  ASSERT_NO_FATAL_FAILURE(serve());
  EXPECT_EQ(daemon().stop(), 0);
  ASSERT_NO_FATAL_FAILURE(put_web("kind: Service\nmetadata: {na"));
  ASSERT_NO_FATAL_FAILURE(put({.name = "late", .number = 30}, {backend(2, 1)}));
  const auto started = daemon().start(Daemon::kAnswers);
  ASSERT_TRUE(started) << started.error().message;
  EXPECT_FALSE(daemon().query<admin::StatusView>({"status"})->synced);
  EXPECT_THAT(wait_for_problems(1), Contains(Field("where", &admin::ProblemView::where, HasSubstr("web.yaml"))));
  ASSERT_TRUE(balances_over(daemon(), "default/late", 1));
  EXPECT_EQ(ask(Transport::Tcp, vip_of(30, Family::IPv4)).failed, 0U);
  expect_untouched();
  expect_mended();
}

// Its Service is read, and is not without endpoints for that.
TEST_F(Manifests, RestartOverABrokenSliceFileKeepsWhatWasServed) {
  ASSERT_NO_FATAL_FAILURE(serve());
  EXPECT_EQ(daemon().stop(), 0);
  ASSERT_NO_FATAL_FAILURE(put_web(service_yaml(web_)));
  ASSERT_TRUE(daemon().put("web-slices.yaml", "kind: EndpointSlice\nmetadata: {na"));
  const auto started = daemon().start(Daemon::kAnswers);
  ASSERT_TRUE(started) << started.error().message;
  wait_for_problems(1);
  // Longer than those who are gone keep their connections.
  for (int i = 0; i < 3; ++i) {
    ASSERT_NO_FATAL_FAILURE(put({.name = "late", .number = 30 + i}, {backend(2, 1)}));
    ASSERT_TRUE(balances_over(daemon(), "default/late", 1));
    expect_untouched();
  }
  ASSERT_TRUE(daemon().remove("web-slices.yaml"));
  expect_mended();
}

}  // namespace
}  // namespace fairlead::test
