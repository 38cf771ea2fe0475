// SPDX-License-Identifier: Apache-2.0
#include "userspace/kube/access/kubeconfig_files.h"

#include <cerrno>
#include <optional>

#include "userspace/document/text.h"
#include "userspace/document/text_file.h"
#include "userspace/document/yaml.h"

namespace fairlead::kube {
namespace {

namespace json = boost::json;

constexpr std::size_t kMaxBytes = 16 << 20;

Error in_file(const std::filesystem::path& file, const std::string& message) {
  return {"kubeconfig " + file.string() + ": " + message, 0};
}

// A list's item is {name: edge, user: {...}}. Lists of entries that are absent are empty.
std::map<std::string, Entry> read_entries(const document::Reader& list, const std::filesystem::path& file,
                                          const std::string& kind) {
  std::map<std::string, Entry> entries;
  list.items<int>(document::BadItem::kBreaksObject, [&](const document::Reader& item) -> std::optional<int> {
    const std::string name = item["name"].text();
    const document::Reader body = item[kind];
    const bool fresh =
        entries.try_emplace(name, Entry{file, kind, name, body.absent() ? json::object() : *body.value()}).second;
    if (!fresh) item["name"].complain("'" + name + "' stands twice in the list");
    return std::nullopt;
  });
  return entries;
}

Kubeconfigs read_config(const document::Reader& reader, const std::filesystem::path& file) {
  const document::Reader version = reader["apiVersion"], kind = reader["kind"];
  if (!version.empty() && version.text() != "v1") version.complain("must be v1");
  if (!kind.empty() && kind.text() != "Config") kind.complain("must be Config");
  Kubeconfigs config;
  config.clusters = read_entries(reader["clusters"], file, "cluster");
  config.users = read_entries(reader["users"], file, "user");
  config.contexts = read_entries(reader["contexts"], file, "context");
  config.current_context = reader["current-context"].text();
  return config;
}

Result<json::value> parse_document(const std::filesystem::path& file, std::string_view text) {
  auto documents = document::parse_yaml(document::without_byte_order_mark(text));
  if (!documents) return in_file(file, documents.error().place() + ": " + documents.error().message);
  while (!documents->empty() && documents->back().is_null())
    documents->pop_back();
  if (documents->empty()) return json::value(nullptr);
  if (documents->size() > 1) return in_file(file, "has several documents, only one is possible");
  return std::move(documents->front());
}

Result<Kubeconfigs> read_kubeconfig(const std::filesystem::path& file, std::string_view text) {
  const auto document = parse_document(file, text);
  if (!document) return document.error();
  return read_value(*document, "kubeconfig " + file.string(), "",
                    [&](const document::Reader& reader) { return read_config(reader, file); });
}

// What is in `into` stays.
void merge(Kubeconfigs& into, Kubeconfigs from, const std::filesystem::path& file) {
  into.clusters.merge(from.clusters);
  into.users.merge(from.users);
  into.contexts.merge(from.contexts);
  if (into.current_context.empty()) into.current_context = std::move(from.current_context);
  into.names += (into.names.empty() ? "kubeconfig " : ", ") + file.string();
}

}  // namespace

Result<Kubeconfigs> read_kubeconfigs(const std::vector<std::filesystem::path>& files) {
  if (files.empty()) return Error{"no kubeconfig is named", 0};
  Kubeconfigs all;
  for (const std::filesystem::path& file : files) {
    const auto content = document::TextFile::read(file, kMaxBytes);
    if (!content && content.error().code == ENOENT) continue;
    if (!content) return in_file(file, content.error().message);
    auto config = read_kubeconfig(file, content->text);
    if (!config) return config.error();
    merge(all, *std::move(config), file);
  }
  if (all.names.empty()) return in_file(files.front(), "does not exist");
  return all;
}

}  // namespace fairlead::kube
