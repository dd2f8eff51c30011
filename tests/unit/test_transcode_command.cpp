#include <cstring>
#include <string>
#include <vector>

#include "transcode/ffmpeg_command.hpp"
#include "transcode/ladder.hpp"
#include "transcode/master_playlist.hpp"

#include "test_transcode_support.hpp"

namespace {

using namespace recording::test;
using namespace recording::transcode;
using recording::media::ColorRange;
using recording::media::FrameRate;
using Strings = std::vector<std::string>;

Strings arguments_of(const FrozenSource& source, const TranscoderSettings& settings = {}) {
  return ffmpeg_arguments(source, settings, "/live/1");
}

// "source 1280x720 copy/copy", …
std::string shown(const Ladder& ladder) {
  std::string all;
  for (const LiveRendition& rendition : ladder.renditions) {
    all += (all.empty() ? "" : ", ") + rendition.name;
    if (rendition.video >= 0) {
      const LiveVideo& video = ladder.videos.at(static_cast<std::size_t>(rendition.video));
      all += " " + std::to_string(video.width) + "x" + std::to_string(video.height) +
             (video.copy ? " copy" : "");
    }
    if (rendition.audio >= 0) {
      const LiveAudio& audio = ladder.audios.at(static_cast<std::size_t>(rendition.audio));
      all += audio.copy ? " +copy" : " +" + std::to_string(audio.bps / 1000) + "k";
    }
  }
  return all;
}
std::string ladder(const FrozenSource& source, const TranscoderSettings& settings = {}) {
  return shown(ladder_of(source, settings));
}
#define assert_ladder(source, settings, wanted) \
  assert_string_equal(ladder(source, settings).c_str(), wanted)

void ladder_has_the_source_and_what_is_below_it(void**) {
  assert_ladder(frozen_source(1920, 1080), {},
                "source 1920x1080 copy +copy, 720p 1280x720 +128k, 480p 852x480 +96k, "
                "360p 640x360 +96k");
  assert_ladder(frozen_source(1280, 720), {},
                "source 1280x720 copy +copy, 480p 852x480 +96k, 360p 640x360 +96k");
  assert_ladder(frozen_source(320, 180), {}, "source 320x180 copy +copy");
  // A portrait's quality is that of its shorter side; odd sizes become even and never larger.
  assert_ladder(frozen_source(720, 1280), {},
                "source 720x1280 copy +copy, 480p 480x852 +96k, 360p 360x640 +96k");
  FrozenSource odd = frozen_source(853, 479);
  odd.video->pix_fmt.value = "yuv444p";
  assert_ladder(odd, {}, "source 852x478 +copy, 360p 640x360 +96k");
}

void source_is_copied_where_every_player_can_have_it(void**) {
  const auto copied = [](auto change) {
    FrozenSource source = frozen_source(640, 360);
    change(*source.video);
    return ladder_of(source, {}).videos[0].copy;
  };
  assert_true(copied([](FrozenVideo&) {}));
  assert_true(copied([](FrozenVideo& video) { video.pix_fmt.value = "yuvj420p"; }));
  assert_false(copied([](FrozenVideo& video) { video.pix_fmt.value = "yuv444p"; }));
  assert_false(copied([](FrozenVideo& video) { video.pix_fmt.value = "yuv420p10le"; }));
  assert_false(copied([](FrozenVideo& video) { video.interlaced = true; }));
  assert_false(copied([](FrozenVideo& video) { video.keeps_frame_rate = false; }));
}

TranscoderSettings two_renditions() {
  TranscoderSettings settings;
  settings.renditions = {{"720p", 720, 2800000, 128000}, {"480p", 480, 1400000, 96000}};
  return settings;
}

// Players hold the playlists of the tracks, which are numbered.
void tracks_stay_in_their_places_when_copies_end(void**) {
  FrozenSource sound = frozen_source(640, 360);
  sound.video.reset();
  const FrozenSource sources[] = {frozen_source(1920, 1080), frozen_source(853, 479), sound};
  for (const FrozenSource& source : sources) {
    const Ladder before = ladder_of(source, two_renditions());
    const Ladder after = ladder_of(source, two_renditions(), Copying::kForbidden);
    assert_int_equal(before.videos.size(), after.videos.size());
    assert_int_equal(before.audios.size(), after.audios.size());
    assert_int_equal(before.renditions.size(), after.renditions.size());
    for (std::size_t i = 0; i < before.renditions.size(); ++i) {
      const LiveRendition &was = before.renditions[i], &is = after.renditions[i];
      assert_string_equal(was.name.c_str(), is.name.c_str());
      assert_true(was.video == is.video && was.audio == is.audio);
    }
    assert_null(strstr(shown(after).c_str(), "copy"));
  }
  assert_string_equal(shown(ladder_of(sound, two_renditions(), Copying::kForbidden)).c_str(),
                      "source +128k, audio128k +128k, audio96k +96k");
}

void source_that_changed_is_brought_to_what_was_frozen(void**) {
  const FrozenSource source = frozen_source(1280, 720);
  const Ladder ladder = ladder_of(source, {}, Copying::kForbidden);
  assert_string_equal(shown(ladder).c_str(),
                      "source 1280x720 +128k, 480p 852x480 +96k, 360p 640x360 +96k");
  recording::media::TrackConfig video, audio;
  video.codec = recording::media::Codec::kAvc;
  video.source.width = 1280;
  video.source.height = 720;
  video.source.pix_fmt = "yuv420p";
  audio.codec = recording::media::Codec::kAac;
  audio.source.sample_rate = 48000;
  audio.source.channels = 2;
  assert_true(is_as_frozen(source, &video, &audio));
  video.source.height = 960;
  assert_false(is_as_frozen(source, &video, &audio));
  video.source.height = 720;
  audio.source.channels = 1;
  assert_false(is_as_frozen(source, &video, &audio));
  assert_true(is_as_frozen(source, &video, nullptr));
}

void renditions_that_were_asked_for_are_never_larger_than_the_source(void**) {
  const TranscoderSettings settings = two_renditions();
  assert_ladder(frozen_source(1920, 1080), settings,
                "source 1920x1080 copy +copy, 720p 1280x720 +128k, 480p 852x480 +96k");
  assert_ladder(frozen_source(854, 480), settings, "source 854x480 copy +copy, 480p 854x480 +96k");
  assert_ladder(frozen_source(320, 240), settings, "source 320x240 copy +copy");
  FrozenSource cannot = frozen_source(640, 360);
  cannot.video->pix_fmt.value = "yuv422p";
  assert_ladder(cannot, settings, "source 640x360 +copy");
  cannot = frozen_source(1280, 720);
  cannot.video->pix_fmt.value = "yuv422p";
  assert_ladder(cannot, settings, "720p 1280x720 +128k, 480p 852x480 +96k");
}

void sound_is_encoded_only_where_that_makes_it_smaller(void**) {
  FrozenSource source = frozen_source(1280, 720);
  source.audio->bps = {100000, Origin::kMetadata};
  assert_ladder(source, {}, "source 1280x720 copy +copy, 480p 852x480 +copy, 360p 640x360 +copy");
  assert_int_equal(ladder_of(source, {}).audios.size(), 1);
  source.audio->codec = recording::media::Codec::kMp3;
  assert_ladder(source, {}, "source 1280x720 copy +128k, 480p 852x480 +96k, 360p 640x360 +96k");
}

void tracks_that_are_not_there_are_not_asked_for(void**) {
  FrozenSource silent = frozen_source(640, 360);
  silent.audio.reset();
  assert_ladder(silent, {}, "source 640x360 copy");
  FrozenSource sound = frozen_source(640, 360);
  sound.video.reset();
  assert_ladder(sound, {}, "source +copy");
  assert_ladder(sound, two_renditions(), "source +copy, audio128k +128k, audio96k +96k");
  // ffmpeg counts the sets from 0.
  assert_string_equal(option(arguments_of(sound), "-adaptation_sets").c_str(),
                      "id=0,seg_duration=2.000,streams=a");
  for (const std::string& argument : arguments_of(sound)) {
    assert_null(strstr(argument.c_str(), "0:v"));
  }
  for (const std::string& argument : arguments_of(silent)) {
    assert_null(strstr(argument.c_str(), "0:a"));
  }
}

void pictures_keep_the_frozen_rate_size_and_range(void**) {
  FrozenSource source = frozen_source(1280, 720, FrameRate{30000, 1001});
  source.video->color_range = {ColorRange::kFull, Origin::kConfiguration};
  source.video->color_primaries = source.video->color_transfer = source.video->color_space = 1;
  const Strings arguments = arguments_of(source);
  assert_string_equal(
      option(arguments, "-filter_complex").c_str(),
      "[0:v:0]fps=30000/1001,split=2[s1][s2];"
      "[s1]scale=w='2*round(852/2*min(1,dar*9/16))':h='2*round(480/2*min(1,16/9/dar))'"
      ":out_range=pc,format=yuv420p,pad=852:480:-1:-1,setdar=dar=16/9:max=2147483647[v1];"
      "[s2]scale=w='2*round(640/2*min(1,dar*9/16))':h='2*round(360/2*min(1,16/9/dar))'"
      ":out_range=pc,format=yuv420p,pad=640:360:-1:-1,setdar=dar=16/9:max=2147483647[v2];"
      "[0:a:0]aresample=async=1000,asplit=1[a1]");
  assert_string_equal(option(arguments, "-c:v:0").c_str(), "copy");
  assert_string_equal(option(arguments, "-c:v:1").c_str(), "libx264");
  assert_string_equal(option(arguments, "-color_range:v:1").c_str(), "pc");
  assert_string_equal(option(arguments, "-color_primaries:v:1").c_str(), "bt709");
  assert_string_equal(option(arguments, "-color_trc:v:2").c_str(), "bt709");
  assert_string_equal(option(arguments, "-colorspace:v:2").c_str(), "bt709");
  assert_string_equal(option(arguments, "-force_key_frames:v:1").c_str(),
                      "expr:gte(t,n_forced*2.000)");
  assert_string_equal(option(arguments, "-threads:v:1").c_str(), "2");
  assert_string_equal(option(arguments, "-f").c_str(), "flv");
  assert_string_equal(option(arguments, "-adaptation_sets").c_str(),
                      "id=0,seg_duration=1.800,streams=v id=1,seg_duration=2.000,streams=a");
  assert_string_equal(arguments.back().c_str(), "/live/1/manifest.mpd");
  // Nothing is said of what the source does not say.
  const Strings plain = arguments_of(frozen_source(1280, 720));
  assert_true(option(plain, "-color_range:v:1").empty());
  assert_true(option(plain, "-color_primaries:v:1").empty());
}

// One encoder for both: with "tee". Whatever the path is called.
void best_rendition_can_be_tapped(void**) {
  const auto tapped = [](const FrozenSource& source, const std::string& folder) {
    const Strings arguments = ffmpeg_arguments(source, {}, folder, Copying::kAllowed, Tap::kBest);
    assert_string_equal(option(arguments, "-flags").c_str(), "+global_header");
    assert_true(option(arguments, "-adaptation_sets").empty());
    return arguments.back();
  };
  const std::string plain = tapped(frozen_source(640, 480), "/live/1");
  assert_int_equal(plain.rfind("[f=dash:dash_segment_type=mp4:adaptation_sets=id=0,"
                               "seg_duration=1.800,streams=v id=1,seg_duration=2.000,streams=a:",
                               0),
                   0);
  const std::string flv =
      "[f=flv:flvflags=no_duration_filesize:flush_packets=1:onfail=ignore:select=";
  const std::string end = R"(]/live/1/manifest.mpd|)" + flv + R"(v\\:0,a\\:0]pipe:4)";
  assert_string_equal(plain.substr(plain.size() - end.size()).c_str(), end.c_str());
  FrozenSource sound = frozen_source(640, 480);
  sound.video.reset();
  const std::string alone = flv + R"(a\\:0]pipe:4)";
  const std::string strange = tapped(sound, R"(/a|b'c\d e)");
  assert_true(strange.find(R"(]/a\|b\'c\\d\ e/manifest.mpd|)" + alone) != std::string::npos);
}

void master_says_of_each_rendition_what_it_is(void**) {
  FrozenSource source = frozen_source(1280, 720, FrameRate{30000, 1001});
  TranscoderSettings settings = two_renditions();
  settings.segment_ms = 4000;
  const std::string text = master_playlist(source, settings, 3000000);
  assert_string_equal(
      text.c_str(),
      "#EXTM3U\n#EXT-X-VERSION:7\n#EXT-X-INDEPENDENT-SEGMENTS\n"
      "#EXT-X-MEDIA:TYPE=AUDIO,GROUP-ID=\"audio0\",NAME=\"audio\",DEFAULT=YES,AUTOSELECT=YES,"
      "CHANNELS=\"2\",URI=\"media_3.m3u8\"\n"
      "#EXT-X-MEDIA:TYPE=AUDIO,GROUP-ID=\"audio1\",NAME=\"audio\",DEFAULT=YES,AUTOSELECT=YES,"
      "CHANNELS=\"2\",URI=\"media_4.m3u8\"\n"
      "#EXT-X-MEDIA:TYPE=AUDIO,GROUP-ID=\"audio2\",NAME=\"audio\",DEFAULT=YES,AUTOSELECT=YES,"
      "CHANNELS=\"2\",URI=\"media_5.m3u8\"\n"
      "#EXT-X-STREAM-INF:BANDWIDTH=4668000,AVERAGE-BANDWIDTH=3160000,"
      "CODECS=\"avc1.64001f,mp4a.40.2\",RESOLUTION=1280x720,FRAME-RATE=29.970,AUDIO=\"audio0\"\n"
      "media_0.m3u8\n"
      "#EXT-X-STREAM-INF:BANDWIDTH=4103400,AVERAGE-BANDWIDTH=2928000,"
      "CODECS=\"avc1.64001f,mp4a.40.2\",RESOLUTION=1280x720,FRAME-RATE=29.970,AUDIO=\"audio1\"\n"
      "media_1.m3u8\n"
      "#EXT-X-STREAM-INF:BANDWIDTH=2085300,AVERAGE-BANDWIDTH=1496000,"
      "CODECS=\"avc1.64001f,mp4a.40.2\",RESOLUTION=852x480,FRAME-RATE=29.970,AUDIO=\"audio2\"\n"
      "media_2.m3u8\n");
  source.video.reset();
  assert_string_equal(master_playlist(source, {}, 0).c_str(),
                      "#EXTM3U\n#EXT-X-VERSION:7\n#EXT-X-INDEPENDENT-SEGMENTS\n"
                      "#EXT-X-STREAM-INF:BANDWIDTH=168000,AVERAGE-BANDWIDTH=160000,"
                      "CODECS=\"mp4a.40.2\"\nmedia_0.m3u8\n");
}

}  // namespace

int main() {
  const CMUnitTest tests[] = {
      cmocka_unit_test(ladder_has_the_source_and_what_is_below_it),
      cmocka_unit_test(source_is_copied_where_every_player_can_have_it),
      cmocka_unit_test(tracks_stay_in_their_places_when_copies_end),
      cmocka_unit_test(source_that_changed_is_brought_to_what_was_frozen),
      cmocka_unit_test(renditions_that_were_asked_for_are_never_larger_than_the_source),
      cmocka_unit_test(sound_is_encoded_only_where_that_makes_it_smaller),
      cmocka_unit_test(tracks_that_are_not_there_are_not_asked_for),
      cmocka_unit_test(pictures_keep_the_frozen_rate_size_and_range),
      cmocka_unit_test(best_rendition_can_be_tapped),
      cmocka_unit_test(master_says_of_each_rendition_what_it_is),
  };
  return cmocka_run_group_tests(tests, nullptr, nullptr);
}
