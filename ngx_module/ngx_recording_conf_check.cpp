// What of the recording { } block can be decided only when the whole nginx.conf has been parsed.

#include "ngx_recording_conf.hpp"

#include <pwd.h>
#include <sys/stat.h>
#include <unistd.h>

#include <string>
#include <string_view>

#include "ngx_http_recording_conf.hpp"
#include "ngx_rtmp_recording_conf.hpp"
#include "ngx_rtmp_transcoder_conf.hpp"
#include "config/directives.hpp"
#include "ngx_str.hpp"
#include "runtime/runtime_directory.hpp"
#include "storage/owned_folder.hpp"

namespace recording::ngx {
namespace {

char* refuse(const ngx_cycle_t* cycle, const Position& at, const char* directive,
             const Error& error) {
  ngx_log_error(NGX_LOG_EMERG, cycle->log, error.sys_errno, "\"%s\" %*s in %V:%ui", directive,
                error.message.size(), error.message.data(), &at.file, at.line);
  return conf_error();
}

// A default folder is blamed on the line from which it follows.
const Position& or_else(const Setting& setting, const Position& at) {
  return setting.at.line != 0 ? setting.at : at;
}

Status prepare_runtime(const config::Config& config, const storage::Owner& owner) {
  return ngx_test_config ? runtime::check_runtime_directory(config.runtime, owner.uid)
                         : runtime::make_runtime_directory(config.runtime, owner.uid, owner.gid);
}

Status prepare_folder(const std::string& path, const storage::Owner& owner) {
  return ngx_test_config ? storage::check_folder(path, owner) : storage::make_folder(path, owner);
}

// A finished recording is moved from the spool into the storage by rename(2).
void warn_of_two_file_systems(ngx_cycle_t* cycle, const RecordingConf& conf) {
  struct stat spool {
  }, storage{};
  const Position& at = or_else(conf.spool, conf.storage.at);
  if (stat(conf.config.spool.c_str(), &spool) == 0 &&
      stat(conf.config.storage.c_str(), &storage) == 0 && spool.st_dev != storage.st_dev) {
    ngx_log_error(NGX_LOG_WARN, cycle->log, 0,
                  "\"spool\" and \"storage\" are on different file systems: every finished "
                  "recording is copied from one to the other, in %V:%ui",
                  &at.file, at.line);
  }
}

void warn_of_programs(const ngx_cycle_t* cycle, const RecordingConf& conf) {
  if (conf.config.workers == 0) {
    return;
  }
  constexpr const char* kWithout = "videos are not processed";
  warn_of_missing(cycle, "\"worker\"", conf.config.worker_program, kWithout,
                  or_else(conf.worker, conf.block));
  warn_of_missing(cycle, "\"worker\"", conf.config.launcher, kWithout,
                  or_else(conf.worker, conf.block));
  warn_of_missing(cycle, "\"ffmpeg\"", conf.config.ffmpeg, kWithout,
                  or_else(conf.ffmpeg, conf.block));
}

}  // namespace

void warn_of_missing(const ngx_cycle_t* cycle, const char* what, const std::string& program,
                     const char* without, const Position& at) {
  if (access(program.c_str(), X_OK) != 0) {
    ngx_log_error(NGX_LOG_WARN, cycle->log, ngx_errno, "%s: \"%*s\" cannot be run: %s, in %V:%ui",
                  what, program.size(), program.data(), without, &at.file, at.line);
  }
}

storage::Owner worker_user(const ngx_cycle_t* cycle) {
  const auto* core =
      reinterpret_cast<ngx_core_conf_t*>(ngx_get_conf(cycle->conf_ctx, ngx_core_module));
  if (geteuid() != 0) {
    return {geteuid(), getegid(), {}};
  }
  return storage::owner_of(core->user, core->group, core->username);
}

char* check_recording_uses(ngx_cycle_t* cycle, const RecordingConf& conf) {
  if (conf.block.line != 0) {
    return NGX_CONF_OK;
  }
  const RtmpMainConf* rtmp = rtmp_main_conf(cycle);
  const HttpMainConf* http = http_main_conf(cycle);
  const TranscoderMainConf* live = transcoder_main_conf(cycle);
  const bool recorded = rtmp != nullptr && rtmp->first_on.line != 0;
  const bool transcoded = live != nullptr && live->first_on.line != 0;
  const bool served = http != nullptr && http->first_use.line != 0;
  if (recorded || transcoded || served) {
    const Position& at = recorded ? rtmp->first_on : transcoded ? live->first_on : http->first_use;
    ngx_log_error(NGX_LOG_EMERG, cycle->log, 0,
                  "%s needs a \"recording { storage /path; }\" block beside the \"rtmp\" and "
                  "\"http\" blocks, in %V:%ui",
                  recorded     ? "\"recording on\""
                  : transcoded ? "\"transcoder on\""
                               : "the \"recording_*\" directive",
                  &at.file, at.line);
    return conf_error();
  }
  return NGX_CONF_OK;
}

char* prepare_folders(ngx_cycle_t* cycle, const RecordingConf& conf) {
  const config::Config& config = conf.config;
  const storage::Owner owner = worker_user(cycle);
  if (auto status = prepare_folder(config::parent_of(config.catalog_path), owner); !status) {
    return refuse(cycle, or_else(conf.catalog, conf.storage.at), "catalog", status.error());
  }
  if (auto status = prepare_folder(config.storage, owner); !status) {
    return refuse(cycle, conf.storage.at, "storage", status.error());
  }
  if (auto status = prepare_folder(config.spool, owner); !status) {
    return refuse(cycle, or_else(conf.spool, conf.storage.at), "spool", status.error());
  }
  if (auto status = prepare_runtime(config, owner); !status) {
    return refuse(cycle, or_else(conf.runtime, conf.block), "runtime", status.error());
  }
  warn_of_two_file_systems(cycle, conf);
  warn_of_programs(cycle, conf);
  return NGX_CONF_OK;
}

// ngx_thread_pool_add() makes a pool without threads; only the setter of the thread_pool directive
// gives it some. Every block has been parsed, so a user's own pool of the name is there already.
char* add_thread_pools(ngx_cycle_t* cycle, const RecordingConf& conf) {
  struct Pool {
    std::string_view name, threads;
  };
  const Pool pools[] = {{kIoPool, "threads=8"},
                        {kFinishPool, "threads=2"},
                        {kReadPool, "threads=4"},
                        {kCatalogPool, "threads=4"},
                        {kLivePool, "threads=4"}};
  const ngx_command_t* command = ngx_thread_pool_module.commands;

  for (const Pool& pool : pools) {
    ngx_str_t name = to_ngx_str(pool.name);
    if (ngx_thread_pool_get(cycle, &name) != nullptr) {
      continue;
    }
    ngx_str_t args[] = {to_ngx_str(std::string_view("thread_pool")), name,
                        copy_to_pool(cycle->pool, pool.threads)};
    ngx_array_t arguments{args, 3, sizeof(ngx_str_t), 3, cycle->pool};
    ngx_conf_file_t file{};  // the setter takes file and line for its own errors
    file.file.name = conf.block.file;
    file.line = conf.block.line;
    ngx_conf_t cf{};
    cf.args = &arguments;
    cf.cycle = cycle;
    cf.pool = cycle->pool;
    cf.conf_file = &file;
    cf.log = cycle->log;
    cf.ctx = cycle->conf_ctx;
    char* rv = command->set(&cf, const_cast<ngx_command_t*>(command), nullptr);
    if (rv != NGX_CONF_OK) {
      return rv;
    }
  }
  return NGX_CONF_OK;
}

// Runs when the whole file has been parsed, before a worker of this configuration exists. Here and
// not in init_module, because nginx *exits* when an init_module fails in a reload; an error of
// init_conf only refuses the new configuration.
char* init_recording_conf(ngx_cycle_t* cycle, void* slots) noexcept {
  return guard(cycle->log, "init_conf", conf_error(), [&]() -> char* {
    auto& conf = *static_cast<RecordingConf*>(static_cast<RecordingConfSlots*>(slots));
    if (char* rv = check_recording_uses(cycle, conf); rv != NGX_CONF_OK) {
      return rv;
    }
    if (conf.block.line == 0) {
      return NGX_CONF_OK;
    }
    config::Config& config = conf.config;
    if (const config::Fault fault = config::complete(config, to_view(cycle->prefix));
        fault.message != nullptr) {
      const Position& at = fault.directive == std::string_view("spool")
                               ? or_else(conf.spool, conf.storage.at)
                               : conf.block;
      return refuse(cycle, at, fault.directive, {Errc::kInvalidArgument, fault.message});
    }
    config.launcher = beside_module("recording-launcher");
    config.worker_program = beside_module("recording-worker");
    if (ngx_process == NGX_PROCESS_SIGNALLER) {
      return NGX_CONF_OK;  // `nginx -s stop` must work with the disk gone
    }
    if (char* rv = prepare_folders(cycle, conf); rv != NGX_CONF_OK) {
      return rv;
    }
    if (char* rv = prepare_transcoders(cycle, conf); rv != NGX_CONF_OK) {
      return rv;
    }
    return add_thread_pools(cycle, conf);
  });
}

}  // namespace recording::ngx
