#include "server/blobs/piece_hasher.h"

#include <deque>
#include <limits>

#include "absl/base/thread_annotations.h"
#include "absl/synchronization/mutex.h"
#include "proto/contract/digest.h"

namespace bitwright::server {

namespace {

constexpr int kPiecesPerTurn = 4;

}  // namespace

struct PieceHasher::State {
  enum class Turn { kIdle, kPosted, kRunning };

  Spawn spawn;
  absl::Mutex mutex;
  std::deque<Piece> pieces ABSL_GUARDED_BY(mutex);
  Turn turn ABSL_GUARDED_BY(mutex) = Turn::kIdle;
  Sha256 hash;  // of whoever runs

  // The posted step: nothing to do when the caller was faster. A few pieces at a time, so that a long upload does not
  // keep a thread from everyone else.
  static void Run(const std::shared_ptr<State>& state) {
    {
      absl::MutexLock lock(&state->mutex);
      if (state->turn != Turn::kPosted) return;
      state->HashPieces(kPiecesPerTurn);
      if (state->pieces.empty()) return;
      state->turn = Turn::kPosted;
    }
    state->spawn([state] { Run(state); });
  }

  void HashPieces(int most) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex) {
    turn = Turn::kRunning;
    for (; most > 0 && !pieces.empty(); --most) {
      {
        const Piece piece = std::move(pieces.front());
        mutex.Unlock();
        for (const std::string_view part : piece.parts) hash.Update(part);
        mutex.Lock();
      }
      pieces.pop_front();  // only now: what is counted is what memory is held for
    }
    turn = Turn::kIdle;
  }

  // Until at most `most` are left; takes part where nobody has begun.
  void WaitUntilLeft(size_t most) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex) {
    if (pieces.size() <= most && (most > 0 || turn == Turn::kIdle)) return;
    if (turn != Turn::kRunning) return HashPieces(std::numeric_limits<int>::max());
    const auto few = [this, most]() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex) {
      return turn != Turn::kRunning || (most > 0 && pieces.size() <= most);
    };
    mutex.Await(absl::Condition(&few));  // on a thread that hashes: it ends
    if (turn != Turn::kRunning && pieces.size() > most) HashPieces(std::numeric_limits<int>::max());
  }
};

PieceHasher::PieceHasher() : state_(std::make_shared<State>()) {}

void PieceHasher::HashOn(Spawn spawn) { state_->spawn = std::move(spawn); }

PieceHasher::~PieceHasher() {
  absl::MutexLock lock(&state_->mutex);
  state_->WaitUntilLeft(0);
}

void PieceHasher::Add(Piece piece) {
  bool post = false;
  {
    absl::MutexLock lock(&state_->mutex);
    state_->pieces.push_back(std::move(piece));
    if (state_->spawn == nullptr) return state_->WaitUntilLeft(0);
    post = state_->turn == State::Turn::kIdle;
    if (post) state_->turn = State::Turn::kPosted;
  }
  if (post) state_->spawn([state = state_] { State::Run(state); });
  absl::MutexLock lock(&state_->mutex);
  state_->WaitUntilLeft(kMostAhead);
}

std::string PieceHasher::Finish() {
  absl::MutexLock lock(&state_->mutex);
  state_->WaitUntilLeft(0);
  return state_->hash.Finish();
}

}  // namespace bitwright::server
