#pragma once

#include <string>

#include "catalog/catalog_service.hpp"
#include "runtime/records.hpp"

// The history of a stream: its sessions, the present one included.
namespace recording::recorder {

// What the live state says of a stream's session, which has not ended. The source is the one that
// its live playback was built from or, without that, the present one.
catalog::SessionRow session_row(const runtime::StreamRecord& stream);

// Has the catalogue keep how the session ended. Without the stream's id it is found by its names:
// they have it, unless the catalogue was away when the session began. Event loop.
void keep_ended(catalog::CatalogService& catalog, const std::string& app, const std::string& name,
                catalog::SessionRow row);

}  // namespace recording::recorder
