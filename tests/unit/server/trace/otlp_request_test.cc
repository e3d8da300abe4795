#include "server/trace/otlp_request.h"

#include <gmock/gmock.h>
#include <google/protobuf/text_format.h>

namespace bitwright::server {
namespace {

TEST(OtlpRequestTest, SaysAllOfASpan) {
  Span span;
  span.context = *ParseTraceParent("00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01");
  span.parent = SpanId{1, 2, 3, 4, 5, 6, 7, 8};
  span.trace_state = "congo=t61";
  span.name = "task quantize";
  span.kind = Span::Kind::kServer;
  span.start = absl::FromUnixNanos(1'700'000'000'000'000'001);
  span.end = absl::FromUnixNanos(1'700'000'000'000'000'002);
  span.attributes = {{"text", "t"}, {"number", int64_t{7}}, {"flag", true}, {"part", 0.5}};
  span.failed = true;
  span.message = "why";
  const auto request = ToOtlpRequest({span}, {"name", "1.2", "instance"});
  std::string text;
  google::protobuf::TextFormat::PrintToString(request, &text);
  EXPECT_EQ(text, R"(resource_spans {
  resource {
    attributes {
      key: "service.name"
      value {
        string_value: "name"
      }
    }
    attributes {
      key: "service.version"
      value {
        string_value: "1.2"
      }
    }
    attributes {
      key: "service.instance.id"
      value {
        string_value: "instance"
      }
    }
  }
  scope_spans {
    scope {
      name: "bitwrightd"
      version: "1.2"
    }
    spans {
      trace_id: "K\371/5w\263M\246\243\316\222\235\016\016G6"
      span_id: "\000\360g\252\013\251\002\267"
      trace_state: "congo=t61"
      parent_span_id: "\001\002\003\004\005\006\007\010"
      name: "task quantize"
      kind: SPAN_KIND_SERVER
      start_time_unix_nano: 1700000000000000001
      end_time_unix_nano: 1700000000000000002
      attributes {
        key: "text"
        value {
          string_value: "t"
        }
      }
      attributes {
        key: "number"
        value {
          int_value: 7
        }
      }
      attributes {
        key: "flag"
        value {
          bool_value: true
        }
      }
      attributes {
        key: "part"
        value {
          double_value: 0.5
        }
      }
      status {
        message: "why"
        code: STATUS_CODE_ERROR
      }
      flags: 1
    }
  }
}
)");
}

TEST(OtlpRequestTest, IsAlwaysOneThatCanBeSent) {
  Span span;
  span.context = NewTrace();
  span.name = "bad \xff byte";
  span.start = absl::FromUnixSeconds(10);
  span.end = absl::FromUnixSeconds(9);  // the clock was set back
  span.attributes = {{"long", std::string(5000, 'x')}};
  const auto request = ToOtlpRequest({span}, {});
  const auto& sent = request.resource_spans(0).scope_spans(0).spans(0);
  EXPECT_EQ(sent.name(), "bad ? byte");
  EXPECT_EQ(sent.end_time_unix_nano(), sent.start_time_unix_nano());
  EXPECT_EQ(sent.attributes(0).value().string_value().size(), 1024u);
  EXPECT_TRUE(sent.parent_span_id().empty());
  EXPECT_FALSE(sent.has_status());
}

}  // namespace
}  // namespace bitwright::server
