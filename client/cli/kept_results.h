#pragma once

#include <optional>
#include <string>

#include "bitwright/v1/jobs.pb.h"

namespace bitwright::client {

// A finished job of a local service whose result could not be written to OUT.
struct KeptResult {
  std::string job;       // "jobs/…" in that service
  std::string data_dir;  // of that service
  bool owned = false;    // nobody named the folder: it goes once the result is delivered
};

// Remembers such results, so that the same command delivers them and runs nothing again: one small file for each, below
// {state}/bitwright/results, named by what went into the job. Not thread-safe.
class KeptResults {
 public:
  // `state_dir`: $XDG_STATE_HOME. Empty: nothing is remembered.
  explicit KeptResults(const std::string& state_dir);

  // What names a result: the files of the model and the spec, which holds the digests of the texts.
  static std::string KeyOf(const v1::Manifest& model, const v1::JobSpec& spec);

  bool any() const;  // whether a look is worth the digests
  // Nothing, too, when the data has gone meanwhile; what remembered it then goes as well.
  std::optional<KeptResult> Find(const std::string& key) const;
  // Whether it is remembered: the disk may be full.
  bool Keep(const std::string& key, const KeptResult& result) const;
  // After the delivery, once the service has stopped. Data that another kept result needs stays.
  void Drop(const std::string& key, const KeptResult& result) const;

  // A new place for data, on the disk of the home folder. Empty: there is none.
  std::string PlaceForData() const;

 private:
  std::string FileOf(const std::string& key) const { return folder_ + "/" + key + ".json"; }

  std::string folder_;
};

}  // namespace bitwright::client
