#include "inspect/facts.hpp"

#include <utility>

#include "mp4/recording_reader.hpp"
#include "mp4/scanner.hpp"

namespace recording::inspect {

Result<Facts> read_facts(storage::File& file) {
  auto found = mp4::scan(file, ~std::uint64_t{0});
  if (!found) {
    return std::move(found).error();
  }
  const mp4::Scan& scan = found.value();
  Facts facts;
  facts.identity = scan.state.identity;
  facts.finished = scan.head.finished;
  facts.size = scan.head.file_size;
  facts.whole = facts.finished ? facts.size : scan.media_end;
  RECORDING_TRY(mp4::read_notes(file, facts.whole, {.on_run = [&facts](const mp4::RunNote& run) {
                                  facts.samples[mp4::slot(run.kind)] += run.samples;
                                }}));
  auto timeline = recorder::read_timeline(file, facts.whole);
  if (!timeline) {
    return std::move(timeline).error();
  }
  facts.timeline = std::move(timeline).value();
  return facts;
}

}  // namespace recording::inspect
