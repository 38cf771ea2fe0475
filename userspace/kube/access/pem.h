// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

#include "userspace/util/result.h"

namespace fairlead::kube {

// Errors say what is wrong with a text and leave it to the caller to name it; they quote nothing of it.

// That it has certificates, and that all of them can be read.
Result<> check_certificates(const std::string& pem);

// That both can be used together: the key, which no password protects, is that of the first certificate.
Result<> check_pair(const std::string& certificate_pem, const std::string& key_pem);

}  // namespace fairlead::kube
