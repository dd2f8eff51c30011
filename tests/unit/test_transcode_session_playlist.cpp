// What a player that holds one media playlist sees of a session whose program is started again.
#include <algorithm>
#include <map>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "transcode/session_playlist.hpp"

#include "cmocka.hpp"

namespace {

using recording::transcode::session_playlist;

// As ffmpeg writes it: segments `first` to `last` of a run.
std::string own(int first, int last, bool ended = false) {
  std::string text = "#EXTM3U\n#EXT-X-VERSION:6\n#EXT-X-TARGETDURATION:2\n#EXT-X-MEDIA-SEQUENCE:" +
                     std::to_string(first) + "\n#EXT-X-MAP:URI=\"init-0.mp4\"\n";
  for (int i = first; i <= last; ++i) {
    text += "#EXTINF:2.000000,\n0-00000" + std::to_string(i) + ".m4s\n";
  }
  return text + (ended ? "#EXT-X-ENDLIST\n" : "");
}

std::string head(int number, int discontinuity = 0) {
  return "#EXTM3U\n#EXT-X-VERSION:7\n#EXT-X-TARGETDURATION:2\n#EXT-X-MEDIA-SEQUENCE:" +
         std::to_string(number) + "\n" +
         (discontinuity > 0
              ? "#EXT-X-DISCONTINUITY-SEQUENCE:" + std::to_string(discontinuity) + "\n"
              : "");
}

std::string listed(const std::string& run, int first, int last) {
  std::string text = "#EXT-X-MAP:URI=\"" + run + "/init-0.mp4\"\n";
  for (int i = first; i <= last; ++i) {
    text += "#EXTINF:2.000000,\n" + run + "/0-00000" + std::to_string(i) + ".m4s\n";
  }
  return text;
}

const std::string kBreak = "#EXT-X-DISCONTINUITY\n";

// `gone`: runs whose files are not there any more.
std::string join(const std::string& before, const std::string& text, const std::string& run,
                 bool over = false, const std::set<std::string>& gone = {}) {
  return session_playlist(before, text, run, over, [&gone](const std::string& map) {
    return !gone.contains(map.substr(0, map.find('/')));
  });
}

void assert_same(const std::string& found, const std::string& expected) {
  assert_string_equal(found.c_str(), expected.c_str());
}

void one_run_is_told_as_it_is_and_ends_with_the_session(void**) {
  assert_same(join("", own(3, 8), "a"), head(3) + listed("a", 3, 8));
  // The end of a run is not the session's.
  assert_same(join("", own(3, 8, true), "a"), head(3) + listed("a", 3, 8));
  // Nor need whoever was killed have written it.
  assert_same(join("", own(3, 8), "a", true), head(3) + listed("a", 3, 8) + "#EXT-X-ENDLIST\n");
}

void the_window_slides_over_the_joint(void**) {
  const std::string before = join("", own(4, 9, true), "a");
  assert_same(join(before, own(1, 1), "b"),
              head(5) + listed("a", 5, 9) + kBreak + listed("b", 1, 1));
  assert_same(join(before, own(1, 5), "b"),
              head(9) + listed("a", 9, 9) + kBreak + listed("b", 1, 5));
  // The tag has gone with the last segment in front of it, and is counted.
  assert_same(join(before, own(1, 6), "b"), head(10, 1) + listed("b", 1, 6));
  assert_same(join(before, own(3, 8), "b"), head(12, 1) + listed("b", 3, 8));
}

void two_restarts_follow_each_other(void**) {
  const std::string first = join("", own(1, 3, true), "a");
  const std::string second = join(first, own(1, 1), "b");
  const std::string third = join(second, own(1, 1), "c");
  assert_same(
      third, head(1) + listed("a", 1, 3) + kBreak + listed("b", 1, 1) + kBreak + listed("c", 1, 1));
  assert_same(join(second, own(1, 3), "c"), head(2) + listed("a", 2, 3) + kBreak +
                                                listed("b", 1, 1) + kBreak + listed("c", 1, 3));
  assert_same(join(second, own(1, 5), "c"),
              head(4, 1) + listed("b", 1, 1) + kBreak + listed("c", 1, 5));
  assert_same(join(second, own(2, 7), "c"), head(6, 2) + listed("c", 2, 7));
}

void a_run_without_segments_changes_nothing(void**) {
  const std::string before = join("", own(1, 2), "a");
  const std::string none = join(before, "", "b");
  assert_same(none, before);
  assert_same(join(none, own(1, 1), "c"), join(before, own(1, 1), "c"));
}

void what_is_not_there_any_more_is_counted_and_not_listed(void**) {
  const std::string before = join("", own(4, 9), "a");
  assert_same(join(before, own(1, 2), "b", false, {"a"}), head(10, 1) + listed("b", 1, 2));
  // Nothing is left of the only run: the next one's numbers go on nevertheless.
  const std::string nothing = join("", own(4, 9), "a", false, {"a"});
  assert_same(nothing, head(10));
  assert_same(join(nothing, own(1, 2), "b"), head(10, 1) + listed("b", 1, 2));
  // What a missing run parts is not listed either.
  const std::string two = join(join("", own(1, 2), "a"), own(1, 1), "b");
  assert_same(join(two, own(1, 1), "c", false, {"b"}), head(4, 2) + listed("c", 1, 1));
}

struct Seen {
  int number = 0, discontinuity = 0;
};

// The two numbers of each segment, as a player counts them (RFC 8216, 6.3.5 and 4.3.3.3).
std::vector<std::pair<std::string, Seen>> counted(const std::string& text) {
  std::vector<std::pair<std::string, Seen>> found;
  Seen next;
  for (std::size_t at = 0, end = 0; (end = text.find('\n', at)) != std::string::npos;
       at = end + 1) {
    const std::string line = text.substr(at, end - at);
    const auto value = [&line] { return std::stoi(line.substr(line.find(':') + 1)); };
    if (line.starts_with("#EXT-X-MEDIA-SEQUENCE")) {
      next.number = value();
    } else if (line.starts_with("#EXT-X-DISCONTINUITY-SEQUENCE")) {
      next.discontinuity = value();
    } else if (line == "#EXT-X-DISCONTINUITY") {
      ++next.discontinuity;
    } else if (!line.starts_with('#')) {
      found.emplace_back(line, next);
      ++next.number;
    }
  }
  return found;
}

// Whenever a player looks, a segment has the numbers that it always had, and the list only moves
// on.
void numbers_never_change_and_never_go_back(void**) {
  std::map<std::string, Seen> known;
  std::string before;
  int first = 0;
  for (int run = 0; run < 5; ++run) {
    const std::string name(1, static_cast<char>('a' + run));
    const int segments = (run * 5) % 9;  // 0, 5, 1, 6, 2
    std::string now = before;
    for (int last = 1; last <= segments; ++last) {
      now = join(before, own(std::max(1, last - 5), last), name);
      const auto found = counted(now);
      assert_true(found.size() <= 6 && found.front().second.number >= first);
      first = found.front().second.number;
      for (const auto& [uri, seen] : found) {
        const auto [at, is_new] = known.emplace(uri, seen);
        assert_int_equal(at->second.number, seen.number);
        assert_int_equal(at->second.discontinuity, seen.discontinuity);
      }
    }
    before = now;
  }
  assert_int_equal(known.size(), 14);
}

}  // namespace

int main() {
  const CMUnitTest tests[] = {
      cmocka_unit_test(one_run_is_told_as_it_is_and_ends_with_the_session),
      cmocka_unit_test(the_window_slides_over_the_joint),
      cmocka_unit_test(two_restarts_follow_each_other),
      cmocka_unit_test(a_run_without_segments_changes_nothing),
      cmocka_unit_test(what_is_not_there_any_more_is_counted_and_not_listed),
      cmocka_unit_test(numbers_never_change_and_never_go_back),
  };
  return cmocka_run_group_tests(tests, nullptr, nullptr);
}
