#pragma once

#include <span>
#include <string>
#include <vector>

#include "absl/time/time.h"
#include "bitwright/v1/jobs.pb.h"
#include "client/api/client.h"

// Progress as text: pure functions from a state to lines.
namespace bitwright::client {

struct ProgressBar {
  std::string label;
  double fraction = 0;  // 0..1
  std::string detail;
  bool done = false;
  bool only_label = false;  // a line of text, as wide as the terminal
};

ProgressBar TransferBar(const TransferProgress& progress);
// One for the whole job, where it has a name, and one per stage.
std::vector<ProgressBar> JobBars(const v1::Job& job, absl::Time now);

// One line per bar, each at most `columns` wide (colour codes not counted): label, bar, percent, detail. What does not
// fit is left out from the right; below 20 columns only the label stays.
std::vector<std::string> RenderBars(std::span<const ProgressBar> bars, int columns, bool color);

// For a log instead of a terminal: a line when a phase begins; lines for stages that began or ended between two states.
std::string TransferMessage(const TransferProgress& progress);
std::string TransferLine(const TransferProgress& progress);  // how far the phase is
std::vector<std::string> StageMessages(const v1::Job& before, const v1::Job& now);

}  // namespace bitwright::client
