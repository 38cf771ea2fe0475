// SPDX-License-Identifier: Apache-2.0
#include "userspace/source/decode.h"

#include <optional>

#include "userspace/source/kinds/fields.h"

namespace fairlead::source {
namespace {

namespace json = boost::json;
using document::BadItem;
using document::Findings;
using document::Reader;

std::optional<model::Name> read_object_name(const Reader& object, bool has_namespace, const Findings& findings) {
  const Reader metadata = object["metadata"];
  model::Name name;
  name.name = read_name(metadata["name"].required());
  if (has_namespace) name.space = read_name(metadata["namespace"]);
  if (has_namespace && name.space.empty()) name.space = "default";
  return findings.broken ? std::nullopt : std::optional(std::move(name));
}

// What is not known for lack of an object that cannot be used.
Unread unread_without(const Kind& kind, const json::value& object, const model::Name& name) {
  std::vector<model::Problem> told_already;
  Findings findings{told_already, {}, {}};
  const std::string service = kind.service_of ? kind.service_of(Reader(object, findings), name) : "";
  return service.empty() ? Unread{true, {}} : Unread{false, {{name.space, service}}};
}

enum class From { kDocument, kListOfFile, kApi };

void decode_as(const Kind& kind, const json::value& object, From from, const std::string& where, Decoded& into) {
  Findings findings{into.problems, where, std::string(kind.name)};
  const Reader reader(object, findings);
  const auto name = read_object_name(reader, kind.has_namespace, findings);
  if (!name) {
    ++into.nameless;
    return;
  }
  const Key key{&kind, *name};
  findings.object = key.to_string();
  const Reader version = reader["apiVersion"];
  if (from == From::kDocument && version.text() != kind.api_version)
    version.complain("must be " + std::string(kind.api_version));
  const auto read = from != From::kApi && kind.read_manifest ? kind.read_manifest : kind.read;
  Object value = read(reader, *name);
  if (findings.broken) {
    into.items.push_back({key, {}, where, unread_without(kind, object, *name)});
  } else if (value.empty()) {
    ++into.ignored;
  } else {
    into.items.push_back({key, std::move(value), where});
  }
}

// Calls `decode` with each object of a list and the place where it stands.
template <class Decode>
void decode_items(const Reader& list, const std::string& where, Decode&& decode) {
  std::size_t number = 0;
  list["items"].items<bool>(BadItem::kIsDropped, [&](const Reader& item) {
    ++number;
    if (!item.absent()) decode(*item.value(), where + ", item " + std::to_string(number));
    return std::optional<bool>();
  });
}

// A kind of list that names its items' kind once for all of them ("ServiceList").
const Kind* find_list_kind(std::string_view name) {
  static constexpr std::string_view kSuffix = "List";
  return name.ends_with(kSuffix) ? find_kind(name.substr(0, name.size() - kSuffix.size())) : nullptr;
}

}  // namespace

void decode_object(const Kind& kind, const json::value& object, const std::string& where, Decoded& into) {
  decode_as(kind, object, From::kApi, where, into);
}

void decode_document(const json::value& document, const std::string& where, Decoded& into) {
  if (document.is_null()) return;
  Findings findings{into.problems, where, {}};
  const Reader reader(document, findings);
  const std::string kind = reader["kind"].required().text();
  const std::string version = reader["apiVersion"].text();
  if (findings.broken) {
    ++into.nameless;
    return;
  }
  const Kind* single = find_kind(kind);
  const Kind* list = find_list_kind(kind);
  const Kind* known = single ? single : list;
  // Others have kinds of these names too: serving.knative.dev has a Service.
  const bool foreign = known && !group_of(version).empty() && group_of(version) != group_of(known->api_version);
  findings.object = kind;
  if (kind == "List") {
    decode_items(reader, where,
                 [&](const json::value& item, const std::string& at) { decode_document(item, at, into); });
  } else if (!known || foreign) {
    ++into.ignored;
    into.problems.push_back({where, kind, "", version, "is of no kind that lbd reads, and ignored"});
  } else if (single) {
    decode_as(*single, document, From::kDocument, where, into);
  } else {
    decode_items(reader, where, [&](const json::value& item, const std::string& at) {
      decode_as(*list, item, From::kListOfFile, at, into);
    });
  }
}

}  // namespace fairlead::source
