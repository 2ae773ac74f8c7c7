// Beast, compiled once (BOOST_BEAST_SEPARATE_COMPILATION). Only its HTTP parser is used.
#include <boost/beast/src.hpp>
