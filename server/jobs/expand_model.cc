#include "server/jobs/expand_model.h"

#include <algorithm>

#include "proto/contract/task_names.h"
#include "server/jobs/node_builder.h"

namespace bitwright::server {
namespace {

double BytesOf(const v1::Manifest& manifest) {
  double bytes = 0;
  for (const auto& file : manifest.files()) bytes += static_cast<double>(file.digest().size_bytes());
  return bytes;
}

// `given`: what inspection found, which names the files to read.
TaskNode ImportNode(const v1::Manifest& manifest, const v1::ModelInfo& given) {
  NodeBuilder builder(TaskKind::kImport);
  builder.spec().mutable_import();
  for (const auto& file : manifest.files()) {
    const bool read = std::find(given.files().begin(), given.files().end(), file.path()) != given.files().end();
    if (read) builder.Input(ModelFileName(file.path()), file.digest());
  }
  return builder.Needs(LiveSets::Import(), BytesOf(manifest)).Build();
}

TaskNode InspectImportedNode(const v1::Manifest& rewritten, const v1::Import& imported) {
  NodeBuilder builder(TaskKey(TaskKind::kInspect, TaskUse::kImported));
  *builder.spec().mutable_inspect()->mutable_imported() = imported;
  for (const auto& file : rewritten.files()) {
    builder.Link(ModelFileName(file.path()), TaskKind::kImport, ArtifactFileName(file.path()));
  }
  return builder.Needs(LiveSets::Small(), BytesOf(rewritten)).Build();
}

}  // namespace

TaskNode InspectNode(const v1::Manifest& manifest) {
  NodeBuilder builder(TaskKind::kInspect);
  builder.spec().mutable_inspect();
  return builder.Files(manifest).Needs(LiveSets::Small(), BytesOf(manifest)).Build();
}

Expansion ExpandModel(const v1::Manifest& manifest, const ModelFacts& facts) {
  Expansion expansion{{InspectNode(manifest)}, facts.given && !facts.NeedsImport()};
  if (!facts.NeedsImport()) return expansion;
  expansion.nodes.push_back(ImportNode(manifest, *facts.given));
  if (!facts.rewritten) return expansion;
  expansion.nodes.push_back(InspectImportedNode(*facts.rewritten, facts.given->imported()));
  expansion.complete = facts.imported.has_value();
  return expansion;
}

}  // namespace bitwright::server
