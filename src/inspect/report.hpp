#pragma once

#include <string>

#include "api/json.hpp"
#include "inspect/facts.hpp"

namespace recording::inspect {

// The API's timeline object with "file", the facts of the file, in front. `state`: a word for
// whether it is complete.
api::Json facts_json(const Facts& facts, const std::string& path, const std::string& state);

// The same for people. Made of the object, so that it leaves nothing of it out.
std::string facts_text(const api::Json& facts);

}  // namespace recording::inspect
