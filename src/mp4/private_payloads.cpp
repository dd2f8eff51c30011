#include <limits>

#include "mp4/private_boxes.hpp"

namespace recording::mp4 {
namespace {

Error bad(const char* what) { return Error{Errc::kCorrupt, std::string(what) + " cannot be read"}; }

void put_text(Bytes& out, std::string_view text) {
  put_u16(out, static_cast<std::uint16_t>(text.size()));
  out.insert(out.end(), text.begin(), text.end());
}

void put_i64(Bytes& out, std::int64_t value) { put_u64(out, static_cast<std::uint64_t>(value)); }
std::int64_t i64(ByteReader& in) { return static_cast<std::int64_t>(in.u64()); }

std::string text(ByteReader& in) {
  const ByteView bytes = in.bytes(in.u16());
  return {bytes.begin(), bytes.end()};
}

void put_setup(Bytes& out, const TrackSetup& setup) {
  put_u32(out, setup.timescale);
  put_u32(out, setup.default_duration);
  const Bytes config = media::encode(setup.config);
  put_u32(out, static_cast<std::uint32_t>(config.size()));
  put_bytes(out, config);
}

bool read_setup(ByteReader& in, TrackSetup& setup) {
  setup.timescale = in.u32();
  setup.default_duration = in.u32();
  return media::decode(in.bytes(in.u32()), setup.config) && in.ok() && setup.timescale != 0;
}

}  // namespace

Bytes encode(const Identity& identity) {
  Bytes out;
  put_i64(out, identity.video_id);
  put_i64(out, identity.stream_id);
  put_i64(out, identity.started_wall_ms);
  put_u32(out, identity.sequence);
  put_u8(out, identity.automatic ? 1 : 0);
  put_i64(out, identity.reconnect_window_ms);
  put_i64(out, identity.min_duration_ms);
  put_i64(out, identity.max_duration_ms);
  for (const std::string* value : {&identity.slug, &identity.app, &identity.stream,
                                   &identity.transaction_id, &identity.record_type}) {
    put_text(out, *value);
  }
  return out;
}

Result<Identity> decode_identity(ByteView payload) {
  ByteReader in(payload);
  Identity identity;
  identity.video_id = i64(in);
  identity.stream_id = i64(in);
  identity.started_wall_ms = i64(in);
  identity.sequence = in.u32();
  identity.automatic = in.u8() != 0;
  identity.reconnect_window_ms = i64(in);
  identity.min_duration_ms = i64(in);
  identity.max_duration_ms = i64(in);
  for (std::string* value : {&identity.slug, &identity.app, &identity.stream,
                             &identity.transaction_id, &identity.record_type}) {
    *value = text(in);
  }
  if (!in.ok()) {
    return bad("the identity box");
  }
  return identity;
}

Bytes encode(const PlacedMark& placed) {
  const Mark& mark = placed.mark;
  Bytes out;
  put_u8(out, static_cast<std::uint8_t>(mark.kind));
  put_u64(out, mark.session);
  put_u64(out, mark.fence);
  for (std::uint64_t ordinal : mark.next_ordinal) {
    put_u64(out, ordinal);
  }
  put_i64(out, mark.origin_us);
  put_i64(out, mark.began_wall_ms);
  put_i64(out, mark.ended_wall_ms);
  put_i64(out, mark.lost_ms);
  put_i64(out, placed.position_ms);
  put_text(out, mark.reason);
  return out;
}

Result<PlacedMark> decode_mark(ByteView payload) {
  ByteReader in(payload);
  PlacedMark placed;
  Mark& mark = placed.mark;
  mark.kind = static_cast<MarkKind>(in.u8());
  mark.session = in.u64();
  mark.fence = in.u64();
  for (std::uint64_t& ordinal : mark.next_ordinal) {
    ordinal = in.u64();
  }
  mark.origin_us = i64(in);
  mark.began_wall_ms = i64(in);
  mark.ended_wall_ms = i64(in);
  mark.lost_ms = i64(in);
  placed.position_ms = i64(in);
  mark.reason = text(in);
  if (!in.ok() || mark.kind > MarkKind::kOverload || mark.reason.size() > kMaxReason) {
    return bad("a mark box");
  }
  return placed;
}

Bytes encode(std::span<const media::TimestampRepair> repairs) {
  Bytes out;
  put_u16(out, static_cast<std::uint16_t>(repairs.size()));
  for (const media::TimestampRepair& repair : repairs) {
    put_u8(out, static_cast<std::uint8_t>(repair.kind));
    put_u8(out, static_cast<std::uint8_t>(repair.track));
    put_u32(out, repair.count);
    put_i64(out, repair.at_ms);
    put_i64(out, repair.from_ms);
    put_i64(out, repair.to_ms);
  }
  return out;
}

Result<std::vector<media::TimestampRepair>> decode_repairs(ByteView payload) {
  ByteReader in(payload);
  std::vector<media::TimestampRepair> repairs;
  for (std::uint16_t left = in.u16(); left > 0 && in.ok(); --left) {
    media::TimestampRepair& repair = repairs.emplace_back();
    repair.kind = static_cast<media::RepairKind>(in.u8());
    repair.track = static_cast<media::TrackKind>(in.u8());
    repair.count = in.u32();
    repair.at_ms = i64(in);
    repair.from_ms = i64(in);
    repair.to_ms = i64(in);
    if (static_cast<std::size_t>(repair.track) >= media::kTrackKinds) {
      return bad("a box of timestamp repairs");
    }
  }
  if (!in.ok() || in.left() != 0) {
    return bad("a box of timestamp repairs");
  }
  return repairs;
}

Bytes encode(const Epoch& epoch) {
  Bytes out;
  std::uint8_t present = 0;
  for (media::TrackKind kind : kTrackOrder) {
    present |= static_cast<std::uint8_t>((epoch.tracks[slot(kind)] ? 1U : 0U) << slot(kind));
  }
  put_u32(out, epoch.index);
  put_u8(out, epoch.changed);
  put_u8(out, present);
  put_i64(out, epoch.position_ms);
  for (const auto& track : epoch.tracks) {
    if (track) {
      put_setup(out, *track);
    }
  }
  put_u32(out, static_cast<std::uint32_t>(epoch.init.size()));
  put_bytes(out, epoch.init);
  return out;
}

Result<Epoch> decode_epoch(ByteView payload) {
  ByteReader in(payload);
  Epoch epoch;
  epoch.index = in.u32();
  epoch.changed = in.u8();
  const std::uint8_t present = in.u8();
  epoch.position_ms = i64(in);
  for (media::TrackKind kind : kTrackOrder) {
    if ((present >> slot(kind) & 1U) != 0 && !read_setup(in, epoch.tracks[slot(kind)].emplace())) {
      return bad("an epoch box");
    }
  }
  const ByteView init = in.bytes(in.u32());
  epoch.init.assign(init.begin(), init.end());
  if (!in.ok() || in.left() != 0 || present == 0 || (epoch.changed & ~present) != 0) {
    return bad("an epoch box");
  }
  return epoch;
}

std::uint64_t init_offset(ByteView payload, const Epoch& epoch) {
  return kPrivateHeader + payload.size() - epoch.init.size();
}

Bytes encode(const Tail& tail) {
  Bytes out;
  put_u64(out, tail.last_index);
  put_u64(out, tail.media_end);
  return out;
}

Result<Tail> decode_tail(ByteView payload) {
  ByteReader in(payload);
  Tail tail;
  tail.last_index = in.u64();
  tail.media_end = in.u64();
  if (!in.ok()) {
    return bad("the tail box");
  }
  return tail;
}

}  // namespace recording::mp4
