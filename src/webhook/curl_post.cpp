#include "webhook/curl_post.hpp"

#include <curl/curl.h>

#include <array>
#include <utility>

namespace recording::webhook {

namespace {

constexpr long kMostMs = 10'000;

struct FreeList {
  void operator()(curl_slist* list) const { curl_slist_free_all(list); }
};
struct CleanUp {
  void operator()(CURL* handle) const { curl_easy_cleanup(handle); }
};

std::size_t ignore(char*, std::size_t size, std::size_t count, void*) { return size * count; }

// Not 0: gives up.
int progress(void* stop, curl_off_t, curl_off_t, curl_off_t, curl_off_t) {
  return static_cast<const std::stop_token*>(stop)->stop_requested() ? 1 : 0;
}

class CurlPost final : public HttpPost {
 public:
  explicit CurlPost(std::stop_token stop) : stop_(std::move(stop)) {}

  Result<int> post(const std::string& url, const std::vector<std::string>& headers,
                   const std::string& body) override {
    if (handle_ == nullptr) {
      handle_.reset(curl_easy_init());
    }
    if (handle_ == nullptr) {
      return Error{Errc::kInternal, "libcurl: no memory"};
    }
    std::unique_ptr<curl_slist, FreeList> list;
    for (const std::string& header : headers) {
      curl_slist* longer = curl_slist_append(list.get(), header.c_str());
      if (longer == nullptr) {
        return Error{Errc::kInternal, "libcurl: no memory"};
      }
      (void)list.release();
      list.reset(longer);
    }
    CURL* curl = handle_.get();
    curl_easy_reset(curl);  // the connection is kept
    std::array<char, CURL_ERROR_SIZE> why{};
    curl_easy_setopt(curl, CURLOPT_ERRORBUFFER, why.data());
    curl_easy_setopt(curl, CURLOPT_URL, url.c_str());
    curl_easy_setopt(curl, CURLOPT_PROTOCOLS_STR, "http,https");
    curl_easy_setopt(curl, CURLOPT_HTTPHEADER, list.get());
    curl_easy_setopt(curl, CURLOPT_POSTFIELDS, body.data());
    curl_easy_setopt(curl, CURLOPT_POSTFIELDSIZE_LARGE, static_cast<curl_off_t>(body.size()));
    curl_easy_setopt(curl, CURLOPT_TIMEOUT_MS, kMostMs);
    curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, ignore);
    curl_easy_setopt(curl, CURLOPT_NOPROGRESS, 0L);
    curl_easy_setopt(curl, CURLOPT_XFERINFOFUNCTION, progress);
    curl_easy_setopt(curl, CURLOPT_XFERINFODATA, &stop_);
    const CURLcode code = curl_easy_perform(curl);
    long status = 0;
    curl_easy_getinfo(curl, CURLINFO_RESPONSE_CODE, &status);
    curl_easy_setopt(curl, CURLOPT_ERRORBUFFER, nullptr);
    if (code != CURLE_OK) {
      return Error{Errc::kUnavailable, why[0] != '\0' ? why.data() : curl_easy_strerror(code)};
    }
    return static_cast<int>(status);
  }

 private:
  std::stop_token stop_;
  std::unique_ptr<CURL, CleanUp> handle_;
};

}  // namespace

std::unique_ptr<HttpPost> make_curl_post(std::stop_token stop) {
  static const CURLcode once = curl_global_init(CURL_GLOBAL_DEFAULT);
  (void)once;
  return std::make_unique<CurlPost>(std::move(stop));
}

}  // namespace recording::webhook
