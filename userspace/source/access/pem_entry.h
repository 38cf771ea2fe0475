// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

#include "userspace/source/access/client_certificate.h"
#include "userspace/source/access/entry.h"

namespace fairlead::source::access {

// A field that names a file, "client-key", or the one beside it that has what would be in the file, in base64:
// "client-key-data".
Pem read_pem(const Reader& reader, const Entry& entry, const std::string& field);

// The one of the two fields that the text came from.
Reader pem_field(const Reader& reader, const Pem& pem, const std::string& field);

}  // namespace fairlead::source::access
