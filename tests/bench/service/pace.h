#pragma once

namespace bitwright::server {

double NowSeconds();          // of the monotonic clock
void Rest(double seconds);    // returns at once when it is not positive
void RestUntil(double when);  // as NowSeconds tells it

}  // namespace bitwright::server
