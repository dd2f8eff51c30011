#pragma once

#include <cstdint>
#include <cstring>
#include <map>
#include <stdexcept>
#include <string>
#include <vector>

#include "base/bytes.hpp"

namespace recording::test {

// A second reader of MP4, written from ISO/IEC 14496-12 alone and sharing nothing with src/mp4:
// what the writer meant and what a player would see must be the same. Throws where a file is wrong.
struct Mp4Box {
  std::string type;
  std::uint64_t offset = 0, header = 8, size = 0;  // offset and size with the header
  std::vector<Mp4Box> children;

  [[nodiscard]] const Mp4Box* find(const std::string& name) const {
    for (const Mp4Box& child : children) {
      if (child.type == name) {
        return &child;
      }
    }
    return nullptr;
  }
  [[nodiscard]] const Mp4Box& at(const std::string& name) const {
    const Mp4Box* child = find(name);
    return child != nullptr ? *child : throw std::runtime_error(type + " has no " + name);
  }
};

struct Mp4Sample {
  std::int64_t dts = 0;
  std::uint32_t cts = 0, duration = 0, entry = 1;
  bool key = false;
  Bytes bytes;
  bool operator==(const Mp4Sample&) const = default;
};

struct Mp4Edit {
  std::uint64_t duration;
  std::int64_t media_time;
  bool operator==(const Mp4Edit&) const = default;
};

struct Mp4Track {
  std::uint32_t timescale = 0;
  std::vector<std::string> entries;  // bytes of each sample entry
  std::vector<Mp4Edit> edits;
  std::vector<Mp4Sample> samples;
  std::vector<std::uint64_t> chunks;
  bool wide_offsets = false;
  std::uint32_t trex_duration = 0, trex_flags = 0;
};

class Mp4Parser {
 public:
  explicit Mp4Parser(ByteView file) : file_(file.begin(), file.end()) {
    boxes = parse_boxes(0, file_.size());
  }

  std::vector<Mp4Box> boxes;
  std::uint32_t movie_timescale = 0;

  [[nodiscard]] std::vector<std::string> types() const {
    std::vector<std::string> result;
    for (const Mp4Box& box : boxes) {
      result.push_back(box.type);
    }
    return result;
  }

  // Everything that a player finds: the samples of the moov, then those of the fragments.
  std::map<std::uint32_t, Mp4Track> tracks() {
    std::map<std::uint32_t, Mp4Track> result;
    for (const Mp4Box& box : boxes) {
      if (box.type == "moov") {
        read_moov(box, result);
      }
    }
    for (const Mp4Box& box : boxes) {
      if (box.type == "moof") {
        read_moof(box, result);
      }
    }
    return result;
  }

  [[nodiscard]] std::uint32_t u32(std::uint64_t at) const {
    return static_cast<std::uint32_t>(number(at, 4));
  }
  [[nodiscard]] std::uint64_t number(std::uint64_t at, int width) const {
    if (at + static_cast<unsigned>(width) > file_.size()) {
      throw std::runtime_error("read behind the end");
    }
    std::uint64_t value = 0;
    for (int i = 0; i < width; ++i) {
      value = value << 8 | file_[at + static_cast<unsigned>(i)];
    }
    return value;
  }
  [[nodiscard]] std::string text(std::uint64_t at, std::uint64_t size) const {
    const auto bytes = ByteView(file_).subspan(at, size);
    return {bytes.begin(), bytes.end()};
  }

 private:
  std::vector<Mp4Box> parse_boxes(std::uint64_t at, std::uint64_t end) const {
    std::vector<Mp4Box> result;
    while (at < end) {
      Mp4Box box{text(at + 4, 4), at, 8, u32(at), {}};
      if (box.size == 1) {
        box.size = number(at + 8, 8);
        box.header = 16;
      }
      if (box.size < box.header || box.size > end - at) {
        throw std::runtime_error("box " + box.type + " is not whole");
      }
      for (const char* parent :
           {"moov", "trak", "edts", "mdia", "minf", "stbl", "mvex", "moof", "traf"}) {
        if (box.type == parent) {
          box.children = parse_boxes(at + box.header, at + box.size);
        }
      }
      at += box.size;
      result.push_back(std::move(box));
    }
    return result;
  }

  // Rows of `width` numbers of a full box whose table begins `skip` behind version and flags.
  [[nodiscard]] std::vector<std::vector<std::uint64_t>> rows(const Mp4Box& box, std::size_t columns,
                                                             int width) const {
    std::vector<std::vector<std::uint64_t>> result(u32(box.offset + 12));
    if (16 + result.size() * columns * static_cast<unsigned>(width) != box.size) {
      throw std::runtime_error(box.type + " is not as long as its table");
    }
    std::uint64_t at = box.offset + 16;
    for (auto& row : result) {
      for (std::size_t i = 0; i < columns; ++i, at += static_cast<unsigned>(width)) {
        row.push_back(number(at, width));
      }
    }
    return result;
  }

  void read_moov(const Mp4Box& moov, std::map<std::uint32_t, Mp4Track>& tracks) {
    const Mp4Box& mvhd = moov.at("mvhd");
    movie_timescale = u32(mvhd.offset + (file_[mvhd.offset + 8] == 1 ? 28 : 20));
    for (const Mp4Box& trak : moov.children) {
      if (trak.type == "trak") {
        const Mp4Box& tkhd = trak.at("tkhd");
        const std::uint32_t id = u32(tkhd.offset + (file_[tkhd.offset + 8] == 1 ? 28 : 20));
        if (tracks.count(id) != 0) {
          throw std::runtime_error("two tracks of one id");
        }
        read_trak(trak, tracks[id]);
      }
    }
    if (const Mp4Box* mvex = moov.find("mvex")) {
      for (const Mp4Box& trex : mvex->children) {
        Mp4Track& track = tracks.at(u32(trex.offset + 12));
        track.trex_duration = u32(trex.offset + 20);
        track.trex_flags = u32(trex.offset + 28);
      }
    }
  }

  void read_trak(const Mp4Box& trak, Mp4Track& track) {
    const Mp4Box& mdia = trak.at("mdia");
    const Mp4Box& mdhd = mdia.at("mdhd");
    track.timescale = u32(mdhd.offset + (file_[mdhd.offset + 8] == 1 ? 28 : 20));
    if (const Mp4Box* edts = trak.find("edts")) {
      const Mp4Box& elst = edts->at("elst");
      const int width = file_[elst.offset + 8] == 1 ? 8 : 4;
      const auto step = static_cast<unsigned>(width);
      for (std::uint32_t i = 0; i < u32(elst.offset + 12); ++i) {
        const std::uint64_t at = elst.offset + 16 + i * (2 * step + 4);
        const std::uint64_t media = number(at + step, width);
        track.edits.push_back({number(at, width), width == 8 ? static_cast<std::int64_t>(media)
                                                             : static_cast<std::int32_t>(media)});
      }
    }
    read_stbl(mdia.at("minf").at("stbl"), track);
  }

  void read_stbl(const Mp4Box& stbl, Mp4Track& track) {
    const Mp4Box& stsd = stbl.at("stsd");
    for (const Mp4Box& entry : parse_boxes(stsd.offset + 16, stsd.offset + stsd.size)) {
      track.entries.push_back(text(entry.offset, entry.size));
    }
    const Mp4Box& stsz = stbl.at("stsz");
    track.samples.resize(u32(stsz.offset + 16));
    std::vector<std::uint64_t> sizes;
    for (std::size_t i = 0; i < track.samples.size(); ++i) {
      sizes.push_back(u32(stsz.offset + 20 + 4 * i));
      track.samples[i].key = stbl.find("stss") == nullptr;
    }
    std::size_t n = 0;
    std::int64_t dts = 0;
    for (const auto& row : rows(stbl.at("stts"), 2, 4)) {
      for (std::uint64_t i = 0; i < row[0]; ++i) {
        track.samples.at(n).dts = dts;
        track.samples[n++].duration = static_cast<std::uint32_t>(row[1]);
        dts += static_cast<std::int64_t>(row[1]);
      }
    }
    expect(n, track.samples.size(), "stts");
    if (const Mp4Box* ctts = stbl.find("ctts")) {
      n = 0;
      for (const auto& row : rows(*ctts, 2, 4)) {
        for (std::uint64_t i = 0; i < row[0]; ++i) {
          track.samples.at(n++).cts = static_cast<std::uint32_t>(row[1]);
        }
      }
      expect(n, track.samples.size(), "ctts");
    }
    if (const Mp4Box* stss = stbl.find("stss")) {
      for (const auto& row : rows(*stss, 1, 4)) {
        track.samples.at(row[0] - 1).key = true;
      }
    }
    track.wide_offsets = stbl.find("co64") != nullptr;
    for (const auto& row :
         track.wide_offsets ? rows(stbl.at("co64"), 1, 8) : rows(stbl.at("stco"), 1, 4)) {
      track.chunks.push_back(row[0]);
    }
    place_samples(rows(stbl.at("stsc"), 3, 4), sizes, track);
  }

  void place_samples(const std::vector<std::vector<std::uint64_t>>& stsc,
                     const std::vector<std::uint64_t>& sizes, Mp4Track& track) {
    std::size_t n = 0, row = 0;
    for (std::size_t chunk = 1; chunk <= track.chunks.size(); ++chunk) {
      while (row + 1 < stsc.size() && stsc[row + 1][0] <= chunk) {
        ++row;
      }
      std::uint64_t at = track.chunks[chunk - 1];
      for (std::uint64_t i = 0; i < stsc.at(row)[1]; ++i, ++n) {
        Mp4Sample& sample = track.samples.at(n);
        sample.entry = static_cast<std::uint32_t>(stsc[row][2]);
        sample.bytes = take(at, sizes.at(n));
        at += sizes[n];
      }
    }
    expect(n, track.samples.size(), "stsc");
  }

  void read_moof(const Mp4Box& moof, std::map<std::uint32_t, Mp4Track>& tracks) {
    for (const Mp4Box& traf : moof.children) {
      if (traf.type != "traf") {
        continue;
      }
      const std::uint64_t tfhd = traf.at("tfhd").offset;
      const std::uint32_t tfhd_flags = u32(tfhd + 8);
      Mp4Track& track = tracks.at(u32(tfhd + 12));
      const std::uint64_t tfdt = traf.at("tfdt").offset;
      std::int64_t dts = static_cast<std::int64_t>(file_[tfdt + 8] == 1 ? number(tfdt + 12, 8)
                                                                        : number(tfdt + 12, 4));
      const std::uint32_t usual = (tfhd_flags & 8) != 0 ? u32(tfhd + 16) : track.trex_duration;
      if ((tfhd_flags & 2) != 0) {
        throw std::runtime_error("a fragment sets sample_description_index");
      }
      read_trun(moof, traf.at("trun").offset, usual, dts, track);
    }
  }

  void read_trun(const Mp4Box& moof, std::uint64_t trun, std::uint32_t usual, std::int64_t dts,
                 Mp4Track& track) {
    const std::uint32_t flags = u32(trun + 8) & 0xFFFFFF;
    std::uint64_t data = moof.offset + u32(trun + 16);
    std::uint64_t at = trun + 20;
    const auto next = [&] { return u32(std::exchange(at, at + 4)); };
    const std::uint32_t first_flags = (flags & 4) != 0 ? next() : track.trex_flags;
    for (std::uint32_t i = 0; i < u32(trun + 12); ++i) {
      Mp4Sample sample;
      sample.dts = dts;
      sample.duration = (flags & 0x100) != 0 ? next() : usual;
      const std::uint32_t size = next();
      const std::uint32_t own = (flags & 0x400) != 0 ? next()
                                : i == 0             ? first_flags
                                                     : track.trex_flags;
      sample.key = (own & 0x10000) == 0;
      sample.cts = (flags & 0x800) != 0 ? next() : 0;
      sample.bytes = take(data, size);
      data += size;
      dts += sample.duration;
      track.samples.push_back(std::move(sample));
    }
  }

  [[nodiscard]] Bytes take(std::uint64_t at, std::uint64_t size) const {
    if (at > file_.size() || size > file_.size() - at) {
      throw std::runtime_error("a sample is outside the file");
    }
    const auto bytes = ByteView(file_).subspan(at, size);
    return {bytes.begin(), bytes.end()};
  }

  static void expect(std::uint64_t is, std::uint64_t wanted, const char* table) {
    if (is != wanted) {
      throw std::runtime_error(std::string(table) + " does not tell of every sample");
    }
  }

  Bytes file_;
};

}  // namespace recording::test
