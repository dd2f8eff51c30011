#include <string_view>

#include "exporter/clip_query.hpp"

#include "cmocka.hpp"

namespace {

using namespace recording;
using exporter::parse_clip;
using mp4::Clip;

bool is(std::string_view query, std::optional<Clip> wanted) {
  auto clip = parse_clip(query);
  return clip && clip.value() == wanted;
}

void what_a_query_asks_for(void**) {
  assert_true(is("", {}));
  assert_true(is("md5=abc&expires=12&fromage=1", {}));
  assert_true(is("epoch=2", Clip{2, 0, mp4::kEndless}));
  assert_true(is("from=12.5&to=40", Clip{{}, 12500, 40000}));
  assert_true(is("x=1&to=.25", Clip{{}, 0, 250}));
  assert_true(is("from=1.0019&y", Clip{{}, 1001, mp4::kEndless}));
  assert_true(is("from=1%2e5", Clip{{}, 1500, mp4::kEndless}));
}

void what_makes_no_sense(void**) {
  for (const std::string_view query : {"from=2&to=2",
                                       "from=3&to=2",
                                       "to=0",
                                       "from=-1",
                                       "from=nan",
                                       "from=inf",
                                       "from=1e2",
                                       "from=",
                                       "from=.",
                                       "from=+1",
                                       "from=1.2.3",
                                       "from=1,5",
                                       "from=0x1",
                                       "from=1&from=1",
                                       "to=1&to=2",
                                       "from=9999999999",
                                       "epoch=",
                                       "epoch=-1",
                                       "epoch=1.0",
                                       "epoch=x",
                                       "epoch=4294967296",
                                       "epoch=1&epoch=1",
                                       "epoch=1&from=2",
                                       "to=2&epoch=1",
                                       "from=%",
                                       "from=1.0001&to=1.0004"}) {
    auto clip = parse_clip(query);
    assert_true(!clip && clip.error().code == Errc::kInvalidArgument);
  }
}

}  // namespace

int main() {
  const CMUnitTest tests[] = {cmocka_unit_test(what_a_query_asks_for),
                              cmocka_unit_test(what_makes_no_sense)};
  return cmocka_run_group_tests(tests, nullptr, nullptr);
}
