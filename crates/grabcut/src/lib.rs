//! GrabCut: a colour image and a box or trimap in, an exact minimum-energy foreground mask out.
#![deny(missing_docs)]
