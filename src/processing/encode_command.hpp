#pragma once

#include <string>
#include <vector>

#include "processing/output_plan.hpp"

// ffmpeg's arguments after its own name, for execvp: no shell, and no byte of an encoder's in them.
// Standard input: a clip of our recording, as a download has it. Standard output: what
// EncodedMovie takes apart, its times kShift later than the clip's; a track an encoder, in the
// order of the plan. Standard error: errors, a line each.
namespace recording::processing {

// An encoder begins with times below zero, which a file cannot have.
inline constexpr std::int64_t kShiftSeconds = 10;
// From key frame to key frame, in all renditions at the same pictures.
inline constexpr std::int64_t kGroupSeconds = 2;

// Each picture of the clip once, at its own time, for every encoder; decoded once. Of a plan with a
// constant rate as many as that takes, at times of the recording; a track more then, of tiny
// pictures, tells the times of those that were decoded.
std::vector<std::string> picture_arguments(const PicturePart& part, const OutputPlan& plan);
// The track of the output that has a picture for each that was decoded, at its time in the clip.
std::size_t decoded_track(const OutputPlan& plan);

// Without gaps, from the part's beginning to its end: what has no sound becomes silence.
std::vector<std::string> sound_arguments(const SourcePart& part, const OutputPlan& plan);

// Reads all of a file, decodes its key frames and its sound, and says what is wrong with it.
// Standard output, as of "-f framehash" with CRC-32: the samples of each track, in their order,
// then as other tracks what was decoded, first the pictures.
std::vector<std::string> check_arguments(const std::string& path);

// One picture of a clip, the first: as it is seen, with square pixels, in the colours of JPEG.
// kTile: in that size, with bars, as planes of 4:2:0; kWhole: as a JPEG file.
std::vector<std::string> tile_arguments(const media::SourceParameters& source,
                                        transcode::PictureSize size);
std::vector<std::string> jpeg_arguments(const media::SourceParameters& source);
// A JPEG file of planes of 4:2:0 of that size at standard input.
std::vector<std::string> sheet_arguments(transcode::PictureSize size);

}  // namespace recording::processing
