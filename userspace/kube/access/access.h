// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <boost/asio/awaitable.hpp>
#include <chrono>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include "userspace/util/result.h"

namespace fairlead::kube {

// Where an API server is and whom to trust there.
struct Cluster {
  std::string host;  // name or address without brackets
  std::uint16_t port = 443;
  bool tls = true;
  std::string base_path;          // "" or "/k8s/clusters/x", no slash at the end
  std::string server_name;        // for SNI and verification; empty: host
  std::string ca_pem;             // empty: the system's certificates
  std::filesystem::path ca_file;  // that ca_pem is from; empty: it was given as text
  bool skip_verify = false;

  std::string authority() const;  // "192.0.2.1:6443", "[2001:db8::1]:6443"
  std::string url() const;        // "https://192.0.2.1:6443/base"
};

// Errors say what is wrong with a text and leave it to the caller to quote it.

// Of a cluster, what a URL says: https://host[:port][/path], or http.
Result<Cluster> parse_server(std::string_view url);

Result<std::uint16_t> parse_port(std::string_view text);

// Who we are, for one request.
struct Identity {
  std::string authorization;    // value of the Authorization header; may be empty
  std::string certificate_pem;  // of a client certificate; empty: none
  std::string key_pem;
  bool operator==(const Identity&) const = default;
};

// Whoever calls these does so on one thread, that of the executor on which identity() is awaited.
class Credentials {
 public:
  virtual ~Credentials() = default;

  // For the next request. From a cache while that is fresh: a token file is read again when a minute has passed, a
  // plugin is run again when its credential has expired. The credentials must live until it is done.
  virtual boost::asio::awaitable<Result<Identity>> identity() = 0;

  // The server did not accept it (401): the next identity() asks anew.
  virtual void reject() = 0;
};

struct Access {
  Cluster cluster;
  std::shared_ptr<Credentials> credentials;
};

// What credentials go by; tests have a time of their own.
struct Timing {
  std::function<std::chrono::system_clock::time_point()> now = std::chrono::system_clock::now;
  std::chrono::milliseconds plugin_deadline = std::chrono::seconds(60);
};

}  // namespace fairlead::kube
