#include "mp4/head.hpp"

#include <algorithm>

#include "mp4/box_reader.hpp"
#include "mp4/box_writer.hpp"
#include "mp4/crc32.hpp"
#include "mp4/fragment_header.hpp"
#include "mp4/movie_boxes.hpp"
#include "mp4/sample_entries.hpp"

namespace recording::mp4 {
namespace {

constexpr std::uint32_t kHeadMagic = fourcc("rmp1");  // in the placeholder, with the head's size
constexpr std::uint32_t kCrcMagic = fourcc("hcrc");   // at the end of the padding, with the CRC
constexpr std::size_t kCrcTrailer = 8;
constexpr std::size_t kMinPadding = 8 + kCrcTrailer;
constexpr std::uint32_t kMaxFtyp = 128;
constexpr std::uint64_t kMaxFileSize = std::uint64_t{1} << 62;

Error bad(const char* what) { return Error{Errc::kCorrupt, std::string("head: ") + what}; }

void write_track(BoxWriter& out, media::TrackKind kind, const TrackSetup& setup,
                 std::int64_t created_wall_ms) {
  const TrackHeader track{kind, &setup.config, setup.timescale, created_wall_ms, 0, 0};
  out.box("trak", [&] {
    write_tkhd(out, track);
    out.box("mdia", [&] {
      write_mdhd(out, track);
      write_hdlr(out, kind);
      out.box("minf", [&] {
        write_media_info(out, kind);
        out.box("stbl", [&] {
          out.full_box("stsd", 0, 0, [&] {  // ISO/IEC 14496-12, 8.5.2
            out.u32(1);
            write_sample_entry(out, setup.config);
          });
          // Mandatory and empty: the samples are in the fragments.
          out.full_box("stts", 0, 0, [&] { out.u32(0); });
          out.full_box("stsc", 0, 0, [&] { out.u32(0); });
          out.full_box("stsz", 0, 0, [&] { out.zeros(8); });
          out.full_box("stco", 0, 0, [&] { out.u32(0); });
        });
      });
    });
  });
}

std::uint32_t crc_of(ByteView image, std::size_t placeholder) {
  const std::size_t from = placeholder + kPlaceholderSize;
  return crc32(image.subspan(from, image.size() - from - 4));
}

// Where the padding ends: a finished file's placeholder does not say it any more.
Result<std::uint32_t> size_by_walk(storage::File& file, std::uint64_t offset, std::uint64_t limit) {
  FileWindow window(file);
  for (const char* type : {"moov", "free"}) {
    auto bytes = window.view(offset, 16);
    if (!bytes) {
      return std::move(bytes).error();
    }
    const auto header = parse_box_header(bytes.value());
    if (!header || header->type != fourcc(type) || header->size > kMaxHeadSize) {
      return bad("moov or padding is missing");
    }
    offset += header->size;
  }
  if (offset > limit || offset > kMaxHeadSize) {
    return bad("it is too long");
  }
  return static_cast<std::uint32_t>(offset);
}

// What marks a file that grows.
void write_placeholder(BoxWriter& out, std::uint32_t head_size) {
  out.box("free", [&] {
    out.u32(head_size);
    out.u32(kHeadMagic);
  });
}

Result<bool> is_final_moov(storage::File& file, std::uint64_t offset, std::uint64_t file_size) {
  if (offset >= file_size) {
    return false;
  }
  FileWindow window(file);
  auto bytes = window.view(offset, 16);
  if (!bytes) {
    return std::move(bytes).error();
  }
  const auto moov = parse_box_header(bytes.value());
  return moov && moov->type == fourcc("moov") && moov->size == file_size - offset;
}

// Reads the placeholder at the front of `in`.
Status read_placeholder(storage::File& file, ByteReader& in, Head& head) {
  const std::uint32_t size = in.u32();
  const std::uint32_t type = in.u32();
  if (size == kPlaceholderSize && type == fourcc("free")) {
    head.size = in.u32();
    return in.u32() == kHeadMagic ? ok() : bad("the placeholder is not ours");
  }
  const std::uint64_t mdat_size = in.u64();
  if (size != 1 || type != fourcc("mdat") || mdat_size > kMaxFileSize) {
    return bad("no placeholder");
  }
  const std::uint64_t moov = head.placeholder + mdat_size;
  auto whole = is_final_moov(file, moov, head.file_size);
  if (!whole) {
    return std::move(whole).error();
  }
  // Nothing forced the moov to the disk before the placeholder (recording_sync off), and the power
  // was cut: what is in front of it is a file that grows.
  head.finished = whole.value();
  head.undone = !head.finished;
  head.final_moov = head.finished ? moov : 0;
  auto found = size_by_walk(file, head.placeholder + kPlaceholderSize,
                            head.finished ? moov : head.file_size);
  if (!found) {
    return std::move(found).error();
  }
  head.size = found.value();
  return ok();
}

}  // namespace

Bytes init_segment(const TrackSetups& tracks, std::int64_t created_wall_ms) {
  Bytes bytes;
  BoxWriter out(bytes);
  write_ftyp(out);
  out.box("moov", [&] {
    write_mvhd(out, created_wall_ms, 0);
    for (media::TrackKind kind : kTrackOrder) {
      if (tracks[slot(kind)]) {
        write_track(out, kind, *tracks[slot(kind)], created_wall_ms);
      }
    }
    out.box("mvex", [&] {
      for (media::TrackKind kind : kTrackOrder) {
        if (tracks[slot(kind)]) {
          out.full_box("trex", 0, 0, [&] {  // ISO/IEC 14496-12, 8.8.3
            out.u32(track_id(kind));
            out.u32(1);  // sample description: always this one
            out.u32(tracks[slot(kind)]->default_duration);
            out.u32(0);
            out.u32(default_flags(kind));
          });
        }
      }
    });
  });
  return bytes;
}

std::uint64_t ftyp_size(ByteView init) {
  const auto ftyp = parse_box_header(init);
  return ftyp ? ftyp->size : 0;
}

Result<Bytes> head_image(ByteView init, std::uint32_t size) {
  const auto ftyp = parse_box_header(init);
  if (!ftyp || ftyp->size > kMaxFtyp || ftyp->size > init.size()) {
    return bad("an init segment without ftyp");
  }
  const auto placeholder = static_cast<std::size_t>(ftyp->size);
  const std::size_t used = init.size() + kPlaceholderSize + kMinPadding;
  if (size == 0) {
    size = static_cast<std::uint32_t>((used + kLaterTrackRoom + kHeadStep - 1) / kHeadStep *
                                      kHeadStep);
  }
  if (used > size || size > kMaxHeadSize) {
    return Error{Errc::kInvalidArgument, "the head of the file has no room for this configuration"};
  }
  Bytes image;
  image.reserve(size);
  BoxWriter out(image);
  out.bytes(init.first(placeholder));
  write_placeholder(out, size);
  out.bytes(init.subspan(placeholder));
  out.box("free", [&] {
    out.zeros(size - image.size() - kCrcTrailer);
    out.u32(kCrcMagic);
    out.zeros(4);
  });
  out.patch_u32(image.size() - 4, crc_of(image, placeholder));
  return image;
}

Result<Head> read_head(storage::File& file) {
  Head head;
  auto size = file.size();
  if (!size) {
    return std::move(size).error();
  }
  head.file_size = size.value();
  FileWindow window(file);
  auto front = window.view(0, kMaxFtyp + kPlaceholderSize);
  if (!front) {
    return std::move(front).error();
  }
  const auto ftyp = parse_box_header(front.value());
  if (!ftyp || ftyp->type != fourcc("ftyp") || ftyp->size > kMaxFtyp ||
      ftyp->size + kPlaceholderSize > front.value().size()) {
    return bad("no ftyp");
  }
  head.placeholder = ftyp->size;
  ByteReader in(front.value().subspan(static_cast<std::size_t>(ftyp->size)));
  RECORDING_TRY(read_placeholder(file, in, head));
  if (head.size % kHeadStep != 0 || head.size == 0 || head.size > kMaxHeadSize ||
      head.size > head.file_size) {
    return bad("it is not whole");
  }
  head.image.resize(head.size);
  RECORDING_TRY(read_exactly(file, head.image, 0));
  if (head.undone) {
    Bytes placeholder;
    BoxWriter out(placeholder);
    write_placeholder(out, head.size);
    std::copy(placeholder.begin(), placeholder.end(),
              head.image.begin() + static_cast<std::ptrdiff_t>(head.placeholder));
  }
  ByteReader trailer(ByteView(head.image).last(kCrcTrailer));
  head.whole = trailer.u32() == kCrcMagic &&
               trailer.u32() == crc_of(head.image, static_cast<std::size_t>(head.placeholder));
  return head;
}

bool fits_head(ByteView init, const Head& head) {
  const ByteView ftyp = ByteView(head.image).first(static_cast<std::size_t>(head.placeholder));
  if (init.size() < ftyp.size() || !std::equal(ftyp.begin(), ftyp.end(), init.begin())) {
    return false;
  }
  BoxIterator boxes(init.subspan(ftyp.size()));
  return boxes.next() && boxes.type() == fourcc("moov") && !boxes.next() && boxes.ok();
}

Bytes init_of(const Head& head) {
  const ByteView image(head.image);
  const auto placeholder = static_cast<std::size_t>(head.placeholder);
  const ByteView rest = image.subspan(placeholder + kPlaceholderSize);
  const auto moov = parse_box_header(rest);
  if (!head.whole || !moov || moov->size > rest.size()) {
    return {};
  }
  Bytes init;
  put_bytes(init, image.first(placeholder));
  put_bytes(init, rest.first(static_cast<std::size_t>(moov->size)));
  return init;
}

Bytes committed_placeholder(std::uint64_t placeholder, std::uint64_t final_moov) {
  Bytes bytes;
  put_u32(bytes, 1);  // ISO/IEC 14496-12, 4.2: the size is in the 64 bits behind the type
  put_u32(bytes, fourcc("mdat"));
  put_u64(bytes, final_moov - placeholder);
  return bytes;
}

}  // namespace recording::mp4
