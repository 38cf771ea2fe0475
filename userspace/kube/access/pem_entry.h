// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

#include "userspace/kube/access/client_certificate.h"
#include "userspace/kube/access/entry.h"

namespace fairlead::kube {

// A field that names a file, "client-key", or the one beside it that has what would be in the file, in base64:
// "client-key-data".
Pem read_pem(const document::Reader& reader, const Entry& entry, const std::string& field);

// The one of the two fields that the text came from.
document::Reader pem_field(const document::Reader& reader, const Pem& pem, const std::string& field);

}  // namespace fairlead::kube
