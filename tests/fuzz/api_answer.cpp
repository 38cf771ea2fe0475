// SPDX-License-Identifier: Apache-2.0
//
// What an API server answers, as bytes that nobody vouches for: lists and watches of each kind, taken apart, decoded
// and reflected in a store. Besides not crashing, it must come out the same whatever pieces the bytes arrive in.
//
// The first byte chooses: '0' to '2' a list of Services, EndpointSlices or Nodes, '3' to '5' a watch of them.
#include <boost/json/serialize.hpp>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <vector>

#include "userspace/kube/api/json_stream.h"
#include "userspace/source/reflector.h"

namespace fairlead::source {
namespace {

namespace json = boost::json;

struct Outcome {
  std::vector<std::string> objects;
  bool well = true;
  std::size_t stored = 0;
  bool operator==(const Outcome&) const = default;
};

class Run {
 public:
  Run(const Kind& kind, bool watch) : reflector_(kind, store_, handlers()), watch_(watch) {}

  Outcome take(std::string_view text, std::size_t piece) {
    kube::WatchStream watch([this](const json::value& event) { this->event(event); });
    reflector_.list_begun();
    kube::ListStream list([this](const json::value& item) {
      outcome_.objects.push_back(json::serialize(item));
      reflector_.listed(item);
    });
    for (std::size_t at = 0; at < text.size() && outcome_.well; at += piece) {
      const auto fed = watch_ ? watch.feed(text.substr(at, piece)) : list.feed(text.substr(at, piece));
      outcome_.well = fed.has_value();
    }
    if (!watch_) outcome_.well = outcome_.well && list.finish().has_value();
    if (outcome_.well && !watch_) reflector_.list_complete();
    outcome_.stored = store_.services().size() + store_.slices().size() + (store_.node() ? 1 : 0);
    return std::move(outcome_);
  }

 private:
  static Reflector::Handlers handlers() {
    return {[] {}, [](const auto&...) {}, [](const auto&) {}, [](const auto&) {}};
  }

  void event(const json::value& event) {
    outcome_.objects.push_back(json::serialize(event));
    boost::system::error_code error;
    const json::value* object = event.find_pointer("/object", error);
    if (object && object->is_object()) reflector_.changed(kube::Listener::Change::kAddedOrModified, *object);
  }

  model::Store store_;
  Reflector reflector_;
  bool watch_;
  Outcome outcome_;
};

}  // namespace
}  // namespace fairlead::source

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace fairlead::source;
  if (size < 2 || data[0] < '0' || data[0] > '5') return 0;
  const Kind& kind = *all_kinds()[(data[0] - '0') % 3];
  const bool watch = data[0] >= '3';
  const std::string_view text(reinterpret_cast<const char*>(data + 1), size - 1);
  const Outcome whole = Run(kind, watch).take(text, text.size());
  for (const std::size_t piece : {1, 13})
    if (Run(kind, watch).take(text, piece) != whole && whole.well) std::abort();
  return 0;
}
