// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string_view>

namespace fairlead::kube {

// Whether one resourceVersion is older than another of the same resource. They are numbers that grow; should one not be
// a number, nothing is older.
// https://github.com/kubernetes/enhancements/tree/master/keps/sig-api-machinery/5504-comparable-resource-version
bool is_older(std::string_view version, std::string_view than);

}  // namespace fairlead::kube
