#include "mp4/index_tip.hpp"

#include <algorithm>
#include <functional>

#include "mp4/box_reader.hpp"
#include "mp4/fragment_header.hpp"
#include "mp4/index_walk.hpp"
#include "mp4/media_index.hpp"
#include "mp4/private_boxes.hpp"

namespace recording::mp4 {
namespace {

struct FoundBox {
  std::uint64_t offset = 0, size = 0;
  std::uint32_t type = 0, kind = 0;  // kind: of one of ours, else 0
};

class TipReader final : public IndexWalk::Visitor {
 public:
  TipReader(storage::File& file, std::uint64_t limit) : file_(file), window_(file), limit_(limit) {}

  // At an index box, which its own chain leads back from to the first epochs: true. False: there is
  // none there, as when a failed sync took back what had been written.
  Result<bool> begin_at(std::uint64_t last_index) {
    if (last_index == 0 || last_index >= limit_ || limit_ - last_index < kPrivateHeader) {
      return false;
    }
    auto front = window_.view(last_index, kPrivateHeader);
    if (!front) {
      return std::move(front).error();
    }
    const auto header = parse_box_header(front.value());
    if (!header || private_kind(front.value()) != kIndexBox || header->size > limit_ - last_index) {
      return false;
    }
    tip_.last_index = last_index;
    behind_ = last_index + header->size;
    auto walk = IndexWalk::open(file_, last_index, limit_, {});
    if (!walk) {
      return std::move(walk).error();
    }
    for (std::size_t i = 0; i < walk.value().size(); ++i) {
      RECORDING_TRY(walk.value().visit_notes(i, *this));
    }
    return true;
  }

  Status on_note(const Note& note) override {
    return note.kind == NoteKind::kEpoch ? learn(note.offset) : ok();
  }
  Status on_run(const IndexedRun& /*run*/) override { return ok(); }

  // Only looks at the fronts of boxes. The first epochs of both tracks come with the first
  // fragments; what the head's trex says is in them, too.
  Status find_last_index(std::uint64_t from) {
    return walk(from, [this](const FoundBox& box) {
      if (box.kind == kIndexBox) {
        tip_.last_index = box.offset;
        behind_ = box.offset + box.size;
      }
      return box.kind == kEpochBox ? learn(box.offset) : ok();
    });
  }

  Result<IndexTip> read_behind(std::uint64_t head_size) {
    const std::uint64_t from = tip_.last_index != 0 ? behind_ : head_size;
    if (tip_.last_index != 0) {
      builder_.restart(tip_.last_index);
    }
    RECORDING_TRY(walk(from, [this](const FoundBox& box) { return take(box); }));
    if (!builder_.empty()) {
      tip_.newest = builder_.payload();
    }
    return std::move(tip_);
  }

 private:
  Status walk(std::uint64_t offset, const std::function<Status(const FoundBox&)>& then) {
    while (offset < limit_) {
      auto front = window_.view(offset, static_cast<std::size_t>(std::min<std::uint64_t>(
                                            limit_ - offset, kPrivateHeader)));
      if (!front) {
        return std::move(front).error();
      }
      const auto header = parse_box_header(front.value());
      if (!header || header->size > limit_ - offset) {
        return Error{Errc::kCorrupt, "a box that is not whole"};
      }
      RECORDING_TRY(then({offset, header->size, header->type, private_kind(front.value())}));
      offset += header->size;
    }
    return ok();
  }

  Status learn(std::uint64_t offset) {
    auto epoch = read_epoch(file_, offset, limit_, buffer_);
    if (!epoch) {
      return std::move(epoch).error();
    }
    for (media::TrackKind kind : kTrackOrder) {
      const auto& track = epoch.value().tracks[slot(kind)];
      if (track && durations_[slot(kind)] == 0) {
        durations_[slot(kind)] = track->default_duration;
      }
    }
    return ok();
  }

  Status take(const FoundBox& box) {
    if (box.kind == kMarkBox) {
      builder_.add_note({NoteKind::kMark, box.offset});
    } else if (box.kind == kEpochBox) {
      builder_.add_note({NoteKind::kEpoch, box.offset});
      return learn(box.offset);
    } else if (box.kind == kRepairBox) {
      builder_.add_note({NoteKind::kRepairs, box.offset});
    } else if (box.type == fourcc("moof")) {
      return take_fragment(box);
    }
    return ok();
  }

  Status take_fragment(const FoundBox& box) {
    if (box.size > kMaxHeaderBox) {
      return Error{Errc::kCorrupt, "a moof that is too long"};
    }
    auto moof = window_.view(box.offset, static_cast<std::size_t>(box.size));
    if (!moof) {
      return std::move(moof).error();
    }
    auto fragment = parse_fragment_header(moof.value(), durations_);
    if (!fragment) {
      return std::move(fragment).error();
    }
    constexpr std::uint64_t kMdatHeader = 8;
    const std::uint64_t data = box.offset + box.size + kMdatHeader;
    if (data > limit_ || fragment.value().media_bytes > limit_ - data) {
      return Error{Errc::kCorrupt, "a fragment that is not whole"};
    }
    builder_.add_fragment(data, fragment.value().views());
    return ok();
  }

  storage::File& file_;
  FileWindow window_;
  std::uint64_t limit_;
  IndexTip tip_;
  std::uint64_t behind_ = 0;
  PerTrack<std::uint32_t> durations_{};
  IndexBuilder builder_;
  Bytes buffer_;
};

}  // namespace

Result<IndexTip> read_index_tip(storage::File& file, const Head& head, const Committed& committed) {
  TipReader reader(file, committed.length);
  auto begun = reader.begin_at(committed.last_index);
  if (!begun) {
    return std::move(begun).error();
  }
  if (!begun.value()) {
    RECORDING_TRY(reader.find_last_index(head.size));
  }
  return reader.read_behind(head.size);
}

}  // namespace recording::mp4
