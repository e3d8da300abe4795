#pragma once

#include <memory>
#include <string>

#include "server/blobs/blobs.h"

namespace bitwright::server {

// SHA-256 of pieces in the order of Add, computed on another thread while the caller does something else with them.
// Never waits for a thread: what no thread has begun when the caller needs it, the caller does itself. For one
// caller at a time.
class PieceHasher {
 public:
  static constexpr int kMostAhead = 4;  // pieces whose memory is held until they are hashed

  PieceHasher();
  ~PieceHasher();
  PieceHasher(const PieceHasher&) = delete;
  PieceHasher& operator=(const PieceHasher&) = delete;

  // Before the first Add. Without it, Add hashes at once. It must run its steps until the object goes.
  void HashOn(Spawn spawn);
  // Returns when at most kMostAhead pieces are left to hash.
  void Add(Piece piece);
  // Lower-case hexadecimal of all that was added. Call once.
  std::string Finish();

 private:
  struct State;
  std::shared_ptr<State> state_;  // a posted step may come after its work was done, and after the object
};

}  // namespace bitwright::server
