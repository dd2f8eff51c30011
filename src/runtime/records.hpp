#pragma once

#include <array>
#include <atomic>
#include <cstdint>
#include <string_view>
#include <type_traits>

// What the live state holds: plain records of fixed size in a mapped file that every worker of
// every nginx generation shares. A change of any layout here is a new kLayoutVersion.
namespace recording::runtime {

inline constexpr std::uint32_t kLayoutVersion = 6;
inline constexpr std::int32_t kNone = -1;

// A short text of bounded length; longer input is cut.
template <std::size_t kCapacity>
struct Text {
  std::uint16_t size = 0;
  char bytes[kCapacity] = {};

  void assign(std::string_view text) {
    size = static_cast<std::uint16_t>(text.size() < kCapacity ? text.size() : kCapacity);
    text.copy(bytes, size);
  }
  [[nodiscard]] std::string_view view() const { return {bytes, size <= kCapacity ? size : 0u}; }
};

// A value that its one owner writes without the lock, for others to read at any time.
template <class T>
struct Gauge {
  std::atomic<T> value{};
  static_assert(std::atomic<T>::is_always_lock_free);
  void set(T v) noexcept { value.store(v, std::memory_order_relaxed); }
  void add(T v) noexcept { set(get() + v); }  // one writer: no read-modify-write needed
  [[nodiscard]] T get() const noexcept { return value.load(std::memory_order_relaxed); }
  Gauge() = default;
  Gauge(const Gauge& other) noexcept { set(other.get()); }
  Gauge& operator=(const Gauge& other) noexcept {
    set(other.get());
    return *this;
  }
};

// What is recorded of a stream: the encoder's media as they come, or the best rendition of its live
// playback. kNotKnown: the catalogue has not said it yet. Stored in no file.
enum class Recorded : std::uint8_t { kNotKnown, kSource, kRendition };

enum class Setting : std::int8_t { kInherit = -1, kOff = 0, kOn = 1 };

// What an application of nginx.conf says about recording; kept with the recording so that any
// process can finish it by the rules under which it began. Durations in ms.
struct RecordingRules {
  std::int64_t fragment_ms = 1000;
  std::int64_t buffer_bytes = 16 << 20;
  std::int64_t reconnect_window_ms = 60000;
  std::int64_t min_duration_ms = 10000;
  std::int64_t max_duration_ms = 4 * 3600 * 1000;
  std::uint8_t sync = 1;  // 0 off, 1 fragment, 2 close
  std::uint8_t end_on_unpublish = 0;
  std::uint8_t keep_gap = 0;
  std::uint8_t preroll = 1;
  std::uint8_t auto_record = 0;       // of streams without a setting of their own
  std::uint8_t recordable = 1;        // 0: `recording off`; the stream is live only
  std::uint8_t transcoded = 0;        // it has live playback, whose best rendition may be recorded
  std::int64_t drain_timeout_ms = 0;  // 0: off
};

// One publish, from connect to disconnect. Zero id: nobody publishes.
struct SessionInfo {
  std::uint64_t id = 0;  // random, never 0 while live
  std::int32_t pid = 0;  // the worker that has the connection
  std::int64_t started_wall_ms = 0;
  std::uint8_t video_codec = 0, audio_codec = 0;  // media::Codec, 0: no such track seen
  std::uint32_t width = 0, height = 0;
  std::uint32_t frame_rate_milli = 0;  // declared, frames per 1000 s; 0: not said
  std::uint32_t sample_rate = 0;
  std::uint16_t channels = 0;
  std::uint8_t unrecordable = 0;  // 1: media arrive, but no codec configuration came with them
  Recorded recorded = Recorded::kNotKnown;  // decided once, when the settings are known
  // The session whose samples a recording gets: this one, or a run of its transcoder.
  std::uint64_t recorded_id = 0;
};

// Stored in no file: may be renumbered with kLayoutVersion.
enum class TranscoderState : std::uint8_t {
  kOff,         // this session is not transcoded
  kProbing,     // it is not known yet what it is built from
  kStarting,    // ffmpeg was started; nothing can be played yet
  kRunning,     // can be played
  kRestarting,  // ffmpeg ended, and is started again after a while
  kFailed,      // given up
  kRefused,     // the source cannot be transcoded
  kEnded        // the publisher has left, and so did ffmpeg
};

struct LiveRenditionRecord {
  Text<14> name;
  std::uint16_t width = 0, height = 0;  // 0: sound alone
  std::uint32_t video_bps = 0, audio_bps = 0;
  std::uint8_t copy = 0;  // the pictures (or the sound alone) as they came
};

// What a session's media are. Codecs and ranges are media::Codec, media::ColorRange; 0: not said.
struct SourceFacts {
  std::uint8_t video_codec = 0, audio_codec = 0, color_range = 0;
  Text<16> pix_fmt;
  std::uint16_t width = 0, height = 0;
  std::uint16_t channels = 0;
  std::uint32_t sample_rate = 0;
};

// What a live playback was built from. An origin is a transcode::Origin.
struct FrozenRecord {
  SourceFacts facts;
  std::uint32_t rate_num = 0, rate_den = 1;
  std::uint32_t video_bps = 0, audio_bps = 0;  // 0: not known
  std::uint8_t size_from = 0, pix_fmt_from = 0, range_from = 0, rate_from = 0;
  std::uint8_t video_bps_from = 0, audio_from = 0, audio_bps_from = 0;
  Text<48> encoder;
};

inline constexpr std::size_t kMostLiveRenditions = 8;

// The live playback of a session; all zero where it has none.
struct LivePlayback {
  TranscoderState state = TranscoderState::kOff;
  std::uint8_t rendition_count = 0;
  std::uint16_t restarts = 0;
  Text<160> error;
  FrozenRecord frozen;
  SourceFacts current;  // what comes now; rates are gauges
  std::array<LiveRenditionRecord, kMostLiveRenditions> renditions{};
};

// Running measurements of what comes in, 0: not known yet. Written by the session's worker without
// the lock.
struct MeasuredGauges {
  Gauge<std::uint32_t> rate_5s_milli, rate_60s_milli;  // frames in 1000 s
  Gauge<std::uint32_t> video_bps, audio_bps;           // over the last 5 s
  Gauge<std::uint32_t> video_bps_60s;
  Gauge<std::uint32_t> key_interval_ms;
  Gauge<std::uint32_t> drift;        // a bit for each transcode::DriftField
  Gauge<std::uint32_t> speed_milli;  // of ffmpeg: 1000 keeps up
  Gauge<std::uint32_t> dropped;      // groups of pictures that it was too slow for
};

struct StreamRecord {
  std::uint8_t in_use = 0;
  std::uint8_t settings_known = 0;  // the catalogue was asked for id and settings
  Setting auto_record = Setting::kInherit;
  Recorded record_type = Recorded::kNotKnown;  // the setting, for sessions to come
  std::uint8_t stopped = 0;  // somebody said stop in this session: auto_record waits for the next
  std::uint8_t wanted =
      0;  // started by hand and not stopped: also what comes after an interruption
  std::int64_t stream_id = 0;      // 0: not known yet
  std::uint64_t last_used_ms = 0;  // monotonic; an idle record is the first to make room
  Text<256> app, name;
  SessionInfo session;
  LivePlayback playback;  // of this session
  // When a session ended that nobody was told of, for its worker was exiting; 0: there is none.
  std::int64_t left_wall_ms = 0;
  // A session whose worker must let the name go, because another publisher takes it over; 0: none.
  std::uint64_t replaced = 0;
  std::uint64_t fence = 0;         // counts ownerships of this stream; never goes back
  RecordingRules rules;            // of the application of the last session
  std::int32_t recording = kNone;  // index of the current RecordingRecord
  // Written by the owner without the lock:
  Gauge<std::int64_t> last_message_ms;  // monotonic time of the last audio or video message
  Gauge<std::int64_t> bytes_in;         // of this session
  Gauge<std::int64_t> messages_in;
  Gauge<std::int64_t> timestamp_repairs;  // samples whose timestamp was not followed
  MeasuredGauges measured;                // of the session's live playback
};

// Stored in no file: may be renumbered with kLayoutVersion.
enum class RecordingState : std::uint8_t {
  kRequested,    // wanted; its owner has not begun yet
  kActive,       // samples are being saved
  kInterrupted,  // has no owner; goes on if the stream comes back inside the window
  kEnding,       // nothing more is saved; its holder (or the housekeeper) finishes the file
  kSettled       // file and outcome are final; the catalogue has not confirmed the row yet
};

struct EarlierSession {
  std::uint64_t session = 0;  // 0: none
  std::array<std::uint64_t, 2> first_ordinal{};
};

struct RecordingRecord {
  std::uint8_t in_use = 0;
  RecordingState state = RecordingState::kRequested;
  std::uint8_t automatic = 0;  // auto_record began it
  // Begun although it is not known yet whether the stream is to be recorded, or whether a recording
  // in the spool goes on instead: nothing of it is on the disk, the journal holds it all.
  std::uint8_t tentative = 0;
  Recorded recorded = Recorded::kNotKnown;  // kNotKnown: kSource, as far as anybody can tell
  std::uint8_t announced = 0;               // the log and the catalogue were told of it
  std::int32_t stream = kNone;  // index of its StreamRecord, which stays while this one is in use
  std::int32_t pid = 0;         // who holds it now; 0 while interrupted
  std::int64_t video_id = 0;    // 0: none leased yet
  std::int64_t stream_id = 0;
  Text<32> slug, transaction_id;
  std::uint32_t sequence = 0;
  std::int64_t started_wall_ms = 0, ended_wall_ms = 0;
  std::int64_t interrupted_ms =
      0;  // monotonic: arrival of the last message before the interruption
  // While the file has no mark yet that says it: whose samples it begins with, and which.
  std::uint64_t session = 0;
  std::array<std::uint64_t, 2> first_ordinal{};
  // Once it was stopped: the session goes on, and its samples from here on are not of this
  // recording.
  std::uint8_t bounded = 0;
  std::array<std::uint64_t, 2> end_ordinal{};
  // media::Codec of each of its tracks, 0: none yet. A track of a file has one codec.
  std::array<std::uint8_t, 2> codec{};
  // The sessions before, the oldest first, as long as what their journals hold has not been added
  // to the file: several, when each holder died or met a failing disk before it had come so far.
  std::array<EarlierSession, 4> earlier{};
  RecordingRules rules;
  Text<48> end_reason;
  Text<160> error;
  // Written by whoever holds it, without the lock:
  Gauge<std::int64_t> committed_bytes;  // length of the file up to its last whole fragment
  Gauge<std::int64_t> last_index;       // offset in it of its last index box, 0: none yet
  Gauge<std::int64_t> duration_ms;      // saved or being gathered
  Gauge<std::int64_t> lost_ms;          // media that had to be dropped (overload)
  // A sync failed: what lies behind this length of the file is not on the disk, whatever a read
  // says, and is in the journal still. One more than that; 0: no such failure; -1: a sync failed,
  // and the journal has given back what it was for: the file is to be written again.
  Gauge<std::int64_t> suspect_from;
  Gauge<std::int64_t> unsafe_bytes;   // gathered in private memory just now: not crash-safe
  Gauge<std::int64_t> waiting_bytes;  // of media, handed over to be written and not written yet
};

// Ids leased from the catalogue beforehand, so that no answer waits for an INSERT.
struct IdBlock {
  std::int64_t next = 0, end = 0;  // [next, end)
};

struct Shared {
  IdBlock video_ids;
  // The recordings that an earlier boot left in the spool are known here.
  std::uint8_t spool_searched = 0;
  // Of the housekeeper, written about once a second.
  Gauge<std::int64_t> spool_free_bytes;  // -1: not measured yet
  Gauge<std::int64_t> bytes_per_second;  // that recordings write, over the last half minute
  Gauge<std::uint8_t> space_low;         // people were told of it
};

static_assert(std::is_trivially_destructible_v<StreamRecord>);
static_assert(std::is_trivially_destructible_v<RecordingRecord>);

}  // namespace recording::runtime
