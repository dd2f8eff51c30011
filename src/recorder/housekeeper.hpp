#pragma once

#include <array>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "recorder/environment.hpp"
#include "recorder/recording.hpp"
#include "recorder/removal.hpp"
#include "recorder/space.hpp"
#include "runtime/stream_lock.hpp"

namespace recording::recorder {

// A recording found in the spool, or missed there: the session that wrote into it last, and for how
// long it is silent.
struct LeftInSpool {
  mp4::Identity identity;
  std::uint64_t session = 0;
  std::int64_t silent_ms = 0;
  std::uint64_t length = 0;  // of what is whole of its file
  std::int64_t duration_ms = 0;
  std::array<std::uint8_t, 2> codec{};  // media::Codec of its tracks
  bool in_spool = true;                 // or known from its row alone
};

// What is nobody's work in particular: finishes recordings whose holder is gone when their time is
// up, finds those of earlier runs in the spool, keeps a lease of ids, measures free space, gives
// back the journals of the dead. One worker of the machine does it, whoever holds
// {runtime}/housekeeper.lock; when it dies another follows within a second. Event loop only.
class Housekeeper {
 public:
  // `keep` takes what was adopted until it is closed; `holds` says whether this worker holds a
  // recording already.
  Housekeeper(Environment& environment, std::function<void(std::shared_ptr<Recording>)> keep,
              std::function<bool(std::int32_t)> holds)
      : env_(environment),
        keep_(std::move(keep)),
        holds_(std::move(holds)),
        space_(environment),
        retention_(environment) {}

  ~Housekeeper();
  Housekeeper(const Housekeeper&) = delete;
  Housekeeper& operator=(const Housekeeper&) = delete;

  void tick();
  // Looks at the recordings now: something may have become nobody's.
  void look();
  // This worker drains: one with the configuration of now should do it. Where there is none, it
  // goes on.
  void hand_over();

 private:
  struct Orphan {
    std::int32_t index;
    runtime::RecordingRecord record;
    runtime::StreamRecord stream;
  };
  [[nodiscard]] std::vector<Orphan> find_orphans();
  void adopt(const Orphan& orphan);
  void mark_interrupted(const Orphan& orphan);
  void lease_ids();
  void search_spool();
  void search_again(const std::map<std::string, std::string>& unread);
  void search_catalog();
  void settle_without_stream(catalog::VideoRow row);
  void settle_left();
  void welcome(LeftInSpool left);
  void sweep_journals();

  Environment& env_;
  std::function<void(std::shared_ptr<Recording>)> keep_;
  std::function<bool(std::int32_t)> holds_;
  SpaceWatch space_;
  Retention retention_;
  std::optional<runtime::OwnerLock> lock_;
  bool asking_ = false;
  bool leasing_ = false, searched_ = false, sweeping_ = false;
  std::int64_t first_search_ms_ = 0, search_not_before_ms_ = 0;  // monotonic
  std::vector<std::string> search_only_;                         // names in the spool; empty: all
  std::set<std::string> unread_;  // names that could not be looked at; empty name: the spool
  bool journals_known_ = false;   // the spool was searched: what no recording needs may go
  std::int64_t ticks_ = 0;
  std::int64_t not_before_ms_ = 0;  // monotonic: the lock is not asked for
  std::shared_ptr<bool> alive_ = std::make_shared<bool>(true);  // for answers that come later
};

}  // namespace recording::recorder
