#pragma once

#include <algorithm>
#include <string>
#include <variant>
#include <vector>

#include "absl/synchronization/mutex.h"
#include "server/observe/span.h"

namespace bitwright::server {

// Keeps the spans that it is given. Thread-safe.
class KeptSpans final : public SpanSink {
 public:
  void Take(Span span) override {
    absl::MutexLock lock(&mutex_);
    spans_.push_back(std::move(span));
  }

  std::vector<Span> all() const {
    absl::MutexLock lock(&mutex_);
    return spans_;
  }
  std::vector<Span> Named(const std::string& name) const {
    std::vector<Span> found = all();
    std::erase_if(found, [&](const Span& span) { return span.name != name; });
    return found;
  }
  // Those whose names begin so.
  std::vector<Span> Beginning(const std::string& prefix) const {
    std::vector<Span> found = all();
    std::erase_if(found, [&](const Span& span) { return !span.name.starts_with(prefix); });
    return found;
  }

 private:
  mutable absl::Mutex mutex_;
  std::vector<Span> spans_ ABSL_GUARDED_BY(mutex_);
};

// An attribute of text; empty: there is none.
inline std::string TextOf(const Span& span, const std::string& key) {
  for (const auto& [name, value] : span.attributes) {
    if (name == key && std::holds_alternative<std::string>(value)) return std::get<std::string>(value);
  }
  return {};
}

}  // namespace bitwright::server
