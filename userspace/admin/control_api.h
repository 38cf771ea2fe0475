// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "userspace/admin/http_server.h"
#include "userspace/admin/inspector.h"

namespace fairlead::admin {

// The control API: JSON over HTTP on lbd's Unix socket, for lbctl and scripts.
//
//   GET /v1/version                                 VersionView
//   GET /v1/status                                  StatusView
//   GET /v1/problems                                [ProblemView]
//   GET /v1/services                                [ServiceView]
//   GET /v1/services/NAMESPACE/NAME                 ServiceView
//   GET /v1/services/NAMESPACE/NAME/rings           [RingView]
//   GET /v1/flows?service=&client=&frontend=&backend=&protocol=&state=&limit=        [FlowView]
//   GET /v1/flows/count?...                         CountView
//   GET /v1/verdicts                                [HookView]
//
// Anything else is answered with an ErrorView and the HTTP status that says what kind of error it is.
HttpResponse answer_control(const Inspector& inspector, const HttpRequest& request);

}  // namespace fairlead::admin
