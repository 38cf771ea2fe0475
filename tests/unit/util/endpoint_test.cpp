// SPDX-License-Identifier: Apache-2.0
#include "userspace/util/endpoint.h"

#include <gtest/gtest.h>

namespace fairlead {
namespace {

TEST(Endpoint, IsWhatItsTextSays) {
  for (const char* text : {"192.0.2.1:80", "[2001:db8::1]:65535", "0.0.0.0:0"}) {
    const auto endpoint = Endpoint::parse(text);
    ASSERT_TRUE(endpoint) << text;
    EXPECT_EQ(endpoint_text(endpoint->address, endpoint->port), text);
    EXPECT_EQ(host_port_text(endpoint->address.to_string(), endpoint->port), text);
  }
  EXPECT_EQ(host_port_text("k8s.example", 6443), "k8s.example:6443");
}

TEST(Endpoint, RefusesWhatIsNoAddressAndPort) {
  for (const char* text :
       {"", ":", ":80", "192.0.2.1", "192.0.2.1:", "192.0.2.1:65536", "192.0.2.1:-1", "192.0.2.1:http",
        "[192.0.2.1]:80", "2001:db8::1:80", "[2001:db8::1]", "[2001:db8::1:80", "[]:80", "[:80", "web:80"})
    EXPECT_FALSE(Endpoint::parse(text)) << text;
}

}  // namespace
}  // namespace fairlead
