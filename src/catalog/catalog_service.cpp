#include "catalog/catalog_service.hpp"

#include <deque>
#include <utility>
#include <vector>

namespace recording::catalog {

namespace {

// More calls than this wait only when the catalogue hangs; the next is told so instead.
constexpr std::size_t kMaxWaiting = 1000;

Error too_busy() {
  return {Errc::kUnavailable,
          "the catalogue does not answer: too many calls wait for it; try again"};
}

}  // namespace

// Everything but a lane's connection is touched on the event loop only. A connection is touched by
// the one job that runs on its lane. Jobs share ownership: what runs in a thread while the service
// is destroyed ends in peace, and its answer is dropped.
struct CatalogService::Impl : std::enable_shared_from_this<CatalogService::Impl> {
  struct Lane {
    std::unique_ptr<Catalog> connection;
    bool busy = false;
  };
  // Lanes that serve one queue of calls.
  struct Group {
    bool writer = false;
    std::vector<Lane> lanes;
    std::deque<std::shared_ptr<Call>> waiting;
  };
  class CallJob;

  Impl(Executor& executor_in, Opener opener_in, unsigned readers)
      : executor(executor_in), opener(std::move(opener_in)) {
    read.lanes.resize(readers > 0 ? readers : 1);
    write.writer = true;
    write.lanes.resize(1);
  }

  void submit(Group& group, std::shared_ptr<Call> call);
  void start_waiting(Group& group);
  void run_on(Group& group, Lane& lane, std::shared_ptr<Call> call);

  Executor& executor;
  const Opener opener;
  Group read, write;
  bool closed = false;
};

class CatalogService::Impl::CallJob final : public Job {
 public:
  CallJob(std::shared_ptr<Impl> impl, Group& group, Lane& lane, std::shared_ptr<Call> call)
      : impl_(std::move(impl)), group_(group), lane_(lane), call_(std::move(call)) {}

  void run() noexcept override {
    if (lane_.connection && !lane_.connection->usable()) {
      lane_.connection.reset();
    }
    if (!lane_.connection) {
      Result<std::unique_ptr<Catalog>> opened = impl_->opener(group_.writer);
      if (!opened) {
        call_->run(nullptr, &opened.error());
        return;
      }
      lane_.connection = std::move(opened).value();
    }
    call_->run(lane_.connection.get(), nullptr);
  }

  void done() noexcept override {
    if (impl_->closed) {
      return;
    }
    lane_.busy = false;
    call_->finish();  // may submit more, and may destroy the service
    if (!impl_->closed) {
      impl_->start_waiting(group_);
    }
  }

 private:
  std::shared_ptr<Impl> impl_;
  Group& group_;
  Lane& lane_;
  std::shared_ptr<Call> call_;
};

void CatalogService::Impl::submit(Group& group, std::shared_ptr<Call> call) {
  if (group.waiting.size() >= kMaxWaiting) {
    const Error why = too_busy();
    call->run(nullptr, &why);
    call->finish();
    return;
  }
  group.waiting.push_back(std::move(call));
  start_waiting(group);
}

void CatalogService::Impl::start_waiting(Group& group) {
  for (Lane& lane : group.lanes) {
    if (closed || group.waiting.empty()) {
      return;
    }
    if (!lane.busy) {
      std::shared_ptr<Call> call = std::move(group.waiting.front());
      group.waiting.pop_front();
      run_on(group, lane, std::move(call));
    }
  }
}

void CatalogService::Impl::run_on(Group& group, Lane& lane, std::shared_ptr<Call> call) {
  lane.busy = true;
  if (executor.post(std::make_unique<CallJob>(shared_from_this(), group, lane, call))) {
    return;
  }
  lane.busy = false;
  const Error why = too_busy();
  call->run(nullptr, &why);
  call->finish();
}

CatalogService::CatalogService(Executor& executor, Opener opener, unsigned readers)
    : impl_(std::make_shared<Impl>(executor, std::move(opener), readers)) {}

CatalogService::~CatalogService() {
  impl_->closed = true;
  // What waits is dropped unanswered. Its closures may hold anything, so they go before the rest.
  std::deque<std::shared_ptr<Call>> dropped_reads = std::exchange(impl_->read.waiting, {});
  std::deque<std::shared_ptr<Call>> dropped_writes = std::exchange(impl_->write.waiting, {});
}

void CatalogService::open() {
  // The writer first: it makes the tables that a reader wants to find.
  write([](Catalog&) -> Status { return ok(); },
        [impl = std::weak_ptr<Impl>(impl_)](const Status&) {
          const std::shared_ptr<Impl> self = impl.lock();
          if (!self || self->closed) {
            return;
          }
          struct Touch final : Call {
            void run(Catalog*, const Error*) noexcept override {}
            void finish() noexcept override {}
          };
          for (std::size_t i = 0; i < self->read.lanes.size(); ++i) {
            self->submit(self->read, std::make_shared<Touch>());
          }
        });
}

void CatalogService::submit_call(bool write, std::unique_ptr<Call> call) {
  const std::shared_ptr<Impl> impl = impl_;  // an answer given at once may destroy the service
  impl->submit(write ? impl->write : impl->read, std::move(call));
}

}  // namespace recording::catalog
