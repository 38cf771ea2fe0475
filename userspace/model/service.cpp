// SPDX-License-Identifier: Apache-2.0
#include "userspace/model/service.h"

namespace fairlead::model {

const char* to_string(Protocol protocol) {
  switch (protocol) {
    case Protocol::kTcp:
      return "TCP";
    case Protocol::kUdp:
      return "UDP";
    case Protocol::kSctp:
      return "SCTP";
  }
  return "?";
}

}  // namespace fairlead::model
