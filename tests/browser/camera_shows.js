// Whether the camera's picture is there and goes on: HAVE_FUTURE_DATA.
() => document.querySelector('video')?.readyState >= 3;
