#pragma once

#include <functional>
#include <memory>
#include <type_traits>
#include <utility>

#include "base/executor.hpp"
#include "catalog/catalog.hpp"

namespace recording::catalog {

// The catalogue as the event loop sees it: closures that run in a pool thread with a Catalog, and
// what follows on the event loop. Reads go to connections opened at start and kept, several at
// once; writes go to one connection, one after the other, in the order given. Event loop only.
class CatalogService {
 public:
  using Opener = std::function<Result<std::unique_ptr<Catalog>>(bool writer)>;

  // Nothing is opened yet: open() does it, in a pool thread; a connection that fails is opened
  // again with the next call, and calls meanwhile answer kUnavailable.
  CatalogService(Executor& executor, Opener opener, unsigned readers);
  ~CatalogService();
  CatalogService(const CatalogService&) = delete;
  CatalogService& operator=(const CatalogService&) = delete;

  void open();

  // Work: R(Catalog&) with R a Result<…>; Then: void(R). Neither may throw.
  template <class Work, class Then>
  void read(Work work, Then then) {
    submit<Work, Then>(false, std::move(work), std::move(then));
  }
  template <class Work, class Then>
  void write(Work work, Then then) {
    submit<Work, Then>(true, std::move(work), std::move(then));
  }

 private:
  // A type-erased call: run(catalog or why there is none) in the thread, then finish() on the loop.
  struct Call {
    virtual ~Call() = default;
    virtual void run(Catalog* catalog, const Error* why) noexcept = 0;
    virtual void finish() noexcept = 0;
  };
  template <class Work, class Then>
  void submit(bool write, Work work, Then then) {
    using Value = std::invoke_result_t<Work&, Catalog&>;
    struct Typed final : Call {
      Typed(Work w, Then t) : work(std::move(w)), then(std::move(t)) {}
      void run(Catalog* catalog, const Error* why) noexcept override {
        value = std::make_unique<Value>(catalog != nullptr ? work(*catalog) : Value(*why));
      }
      void finish() noexcept override { then(std::move(*value)); }
      Work work;
      Then then;
      std::unique_ptr<Value> value;
    };
    submit_call(write, std::make_unique<Typed>(std::move(work), std::move(then)));
  }
  void submit_call(bool write, std::unique_ptr<Call> call);

  struct Impl;
  std::shared_ptr<Impl> impl_;
};

}  // namespace recording::catalog
