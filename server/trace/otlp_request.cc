#include "server/trace/otlp_request.h"

#include <algorithm>
#include <string_view>
#include <variant>

#include "proto/base/utf8.h"

namespace bitwright::server {
namespace {

namespace otlp = opentelemetry::proto;

constexpr size_t kMostTextBytes = 1024;

std::string Text(std::string_view text) { return std::string(CutUtf8(Printable(text), kMostTextBytes)); }

template <size_t N>
std::string Bytes(const std::array<uint8_t, N>& id) {
  return {id.begin(), id.end()};
}

uint64_t Nanos(absl::Time time) { return static_cast<uint64_t>(std::max<int64_t>(0, absl::ToUnixNanos(time))); }

struct SetValue {
  otlp::common::v1::AnyValue& value;
  void operator()(const std::string& text) const { value.set_string_value(Text(text)); }
  void operator()(int64_t number) const { value.set_int_value(number); }
  void operator()(bool flag) const { value.set_bool_value(flag); }
  void operator()(double number) const { value.set_double_value(number); }
};

template <typename Attributes>
void Add(Attributes& attributes, const std::string& key, const Span::Value& value) {
  otlp::common::v1::KeyValue& added = *attributes.Add();
  added.set_key(key);
  std::visit(SetValue{*added.mutable_value()}, value);
}

void Convert(const Span& span, otlp::trace::v1::Span& made) {
  made.set_trace_id(Bytes(span.context.trace_id));
  made.set_span_id(Bytes(span.context.span_id));
  if (span.parent) made.set_parent_span_id(Bytes(*span.parent));
  made.set_trace_state(Text(span.trace_state));
  made.set_flags(TraceFlags(span.context));
  made.set_name(Text(span.name));
  made.set_kind(span.kind == Span::Kind::kServer ? otlp::trace::v1::Span::SPAN_KIND_SERVER
                                                 : otlp::trace::v1::Span::SPAN_KIND_INTERNAL);
  made.set_start_time_unix_nano(Nanos(span.start));
  // The time of day may have been set back meanwhile.
  made.set_end_time_unix_nano(std::max(Nanos(span.start), Nanos(span.end)));
  for (const auto& [key, value] : span.attributes) Add(*made.mutable_attributes(), key, value);
  if (!span.failed) return;
  made.mutable_status()->set_code(otlp::trace::v1::Status::STATUS_CODE_ERROR);
  made.mutable_status()->set_message(Text(span.message));
}

}  // namespace

otlp::collector::trace::v1::ExportTraceServiceRequest ToOtlpRequest(const std::vector<Span>& spans,
                                                                    const TraceResource& resource) {
  otlp::collector::trace::v1::ExportTraceServiceRequest request;
  otlp::trace::v1::ResourceSpans& of_resource = *request.add_resource_spans();
  auto& attributes = *of_resource.mutable_resource()->mutable_attributes();
  Add(attributes, "service.name", resource.service_name);
  Add(attributes, "service.version", resource.service_version);
  Add(attributes, "service.instance.id", resource.service_instance_id);
  otlp::trace::v1::ScopeSpans& of_scope = *of_resource.add_scope_spans();
  of_scope.mutable_scope()->set_name("bitwrightd");
  of_scope.mutable_scope()->set_version(resource.service_version);
  for (const Span& span : spans) Convert(span, *of_scope.add_spans());
  return request;
}

}  // namespace bitwright::server
