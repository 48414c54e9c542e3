//! What every call of the Graph API has in common: paths, tokens, parameters, projections, pages, errors.

pub mod error;
pub mod fields;
pub mod object;
pub mod paging;
pub mod params;
pub mod path;
pub mod token;

pub use error::GraphError;
pub use object::Object;
pub use params::Params;
