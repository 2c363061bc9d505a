"""The vocabulary: which library names mean which canonical operation.

This is data. To teach numlint a function, add its dotted name to a line of
`FUNCTIONS`; to teach it a method, add a line to `METHODS`. Nothing else needs to
change: the lowering looks names up here.

A line of `FUNCTIONS` reads ``operation  signature  names``. The signature lists
the operands in positional order, separated by commas; operands in lower case
become arguments of the value, ``@name`` becomes an attribute (axis, dtype), ``_``
is ignored, and ``*x`` takes all that follow. Names are grouped by namespace:
``numpy:exp,exp2`` stands for ``numpy.exp numpy.exp2``. An indented line continues
the one before it.
Libraries with numpy's names (cupy, jax.numpy, ...) need no lines of their own;
`SAME_NAMES` says so.
"""

from __future__ import annotations

from functools import lru_cache
from typing import NamedTuple

SAME_NAMES = {
    "cupy": "numpy",
    "jax.numpy": "numpy",
    "autograd.numpy": "numpy",
    "tensorflow.experimental.numpy": "numpy",
    "dask.array": "numpy",
    "mxnet.np": "numpy",
    "pytensor.tensor": "theano.tensor",
    "aesara.tensor": "theano.tensor",
    "tensorflow.compat.v1": "tensorflow",
    "tensorflow.compat.v2": "tensorflow",
    "numpy.core": "numpy",
    "cupyx.scipy": "scipy",
    "jax.scipy": "scipy",
    "autograd.scipy": "scipy",
    "torch.Tensor": "torch",
    "keras.ops": "numpy",
    "keras.backend": "tensorflow.keras.backend",
    "numpy.emath": "numpy",
    "numpy.lib.scimath": "numpy",
}
"""Prefixes of dotted names that are read as another prefix."""

FRAMEWORKS = {
    "numpy": "numpy",
    "scipy": "numpy",
    "math": "python",
    "cmath": "python",
    "statistics": "python",
    "random": "python",
    "builtins": "python",
    "torch": "torch",
    "jax": "jax",
    "tensorflow": "tensorflow",
    "keras": "tensorflow",
    "cupy": "cupy",
    "autograd": "autograd",
    "theano": "theano",
    "pytensor": "theano",
    "aesara": "theano",
    "sklearn": "numpy",
    "pandas": "numpy",
    "statsmodels": "numpy",
    "dask": "numpy",
    "mxnet": "mxnet",
}
"""Framework by first component of a dotted name."""

AUTODIFF = frozenset({"torch", "jax", "tensorflow", "autograd", "theano", "mxnet"})
"""Frameworks in which a bad derivative is a failure of its own."""

FUNCTIONS = """
exp        x  numpy:exp math:exp torch:exp tensorflow:exp tensorflow.math:exp theano.tensor:exp
    tensorflow.keras.backend:exp cmath:exp mxnet.nd:exp
exp2       x  numpy:exp2 math:exp2 torch:exp2 torch.special:exp2 scipy.special:exp2
exp10      x  scipy.special:exp10
expm1      x  numpy:expm1 math:expm1 torch:expm1 tensorflow.math:expm1 tensorflow:expm1 theano.tensor:expm1
    torch.special:expm1 scipy.special:expm1
log        x  numpy:log math:log torch:log tensorflow:log tensorflow.math:log theano.tensor:log
    tensorflow.keras.backend:log cmath:log mxnet.nd:log
log2       x  numpy:log2 math:log2 torch:log2 theano.tensor:log2
log10      x  numpy:log10 math:log10 torch:log10 theano.tensor:log10
log1p      x  numpy:log1p math:log1p torch:log1p tensorflow.math:log1p tensorflow:log1p theano.tensor:log1p
    torch.special:log1p scipy.special:log1p
sqrt       x  numpy:sqrt math:sqrt torch:sqrt tensorflow:sqrt tensorflow.math:sqrt theano.tensor:sqrt
    tensorflow.keras.backend:sqrt
rsqrt      x  torch:rsqrt tensorflow.math:rsqrt tensorflow:rsqrt jax.lax:rsqrt
cbrt       x  numpy:cbrt scipy.special:cbrt math:cbrt
square     x  numpy:square torch:square tensorflow:square tensorflow.math:square theano.tensor:sqr
    tensorflow.keras.backend:square
abs        x  numpy:abs,absolute,fabs math:fabs torch:abs,absolute tensorflow:abs tensorflow.math:abs
    theano.tensor:abs_,abs tensorflow.keras.backend:abs builtins:abs
sign       x  numpy:sign torch:sign,sgn tensorflow:sign tensorflow.math:sign theano.tensor:sgn
neg        x  numpy:negative torch:neg,negative tensorflow:negative tensorflow.math:negative theano.tensor:neg
    operator:neg
reciprocal x  numpy:reciprocal torch:reciprocal tensorflow.math:reciprocal theano.tensor:inv
sin        x  numpy:sin math:sin torch:sin tensorflow:sin tensorflow.math:sin theano.tensor:sin
cos        x  numpy:cos math:cos torch:cos tensorflow:cos tensorflow.math:cos theano.tensor:cos
tan        x  numpy:tan math:tan torch:tan tensorflow:tan tensorflow.math:tan
arcsin     x  numpy:arcsin,asin math:asin torch:asin,arcsin tensorflow:asin tensorflow.math:asin
arccos     x  numpy:arccos,acos math:acos torch:acos,arccos tensorflow:acos tensorflow.math:acos
    theano.tensor:arccos
arctan     x  numpy:arctan,atan math:atan torch:atan,arctan tensorflow:atan tensorflow.math:atan
arctan2    y,x  numpy:arctan2,atan2 math:atan2 torch:atan2,arctan2 tensorflow:atan2 tensorflow.math:atan2
sinh       x  numpy:sinh math:sinh torch:sinh tensorflow:sinh tensorflow.math:sinh
cosh       x  numpy:cosh math:cosh torch:cosh tensorflow:cosh tensorflow.math:cosh
tanh       x  numpy:tanh math:tanh torch:tanh torch.nn.functional:tanh tensorflow:tanh tensorflow.math:tanh
    tensorflow.nn:tanh theano.tensor:tanh jax.nn:tanh tensorflow.keras.backend:tanh
arctanh    x  numpy:arctanh,atanh math:atanh torch:atanh,arctanh tensorflow:atanh tensorflow.math:atanh
arcsinh    x  numpy:arcsinh,asinh math:asinh torch:asinh,arcsinh tensorflow.math:asinh
arccosh    x  numpy:arccosh,acosh math:acosh torch:acosh,arccosh tensorflow.math:acosh
floor      x  numpy:floor math:floor torch:floor tensorflow:floor
ceil       x  numpy:ceil math:ceil torch:ceil
round      x  numpy:round,around,rint torch:round tensorflow:round builtins:round
sigmoid    x  scipy.special:expit torch:sigmoid torch.special:expit torch.nn.functional:sigmoid
    tensorflow:sigmoid tensorflow.math:sigmoid tensorflow.nn:sigmoid jax.nn:sigmoid
    theano.tensor.nnet:sigmoid,hard_sigmoid,ultra_fast_sigmoid theano.tensor:sigmoid
    tensorflow.keras.backend:sigmoid keras.activations:sigmoid tensorflow.keras.activations:sigmoid
logsigmoid x  torch.nn.functional:logsigmoid tensorflow.math:log_sigmoid tensorflow:log_sigmoid
    jax.nn:log_sigmoid scipy.special:log_expit
logit      x,eps  scipy.special:logit torch:logit torch.special:logit
softplus   x  torch.nn.functional:softplus tensorflow.nn:softplus tensorflow.math:softplus jax.nn:softplus
    theano.tensor.nnet:softplus scipy.special:softplus keras.activations:softplus
relu       x  torch:relu torch.nn.functional:relu tensorflow.nn:relu jax.nn:relu theano.tensor.nnet:relu
    keras.activations:relu tensorflow.keras.activations:relu
softmax    x,@axis  scipy.special:softmax torch:softmax torch.special:softmax
    torch.nn.functional:softmax,softmin,gumbel_softmax tensorflow.nn:softmax tensorflow:softmax jax.nn:softmax
    theano.tensor.nnet:softmax theano.tensor:softmax tensorflow.keras.backend:softmax keras.activations:softmax
    tensorflow.keras.activations:softmax
log_softmax x,@axis  scipy.special:log_softmax torch:log_softmax torch.special:log_softmax
    torch.nn.functional:log_softmax tensorflow.nn:log_softmax tensorflow.math:log_softmax jax.nn:log_softmax
logsumexp  x,@axis  scipy.special:logsumexp scipy.misc:logsumexp torch:logsumexp torch.special:logsumexp
    tensorflow:reduce_logsumexp tensorflow.math:reduce_logsumexp jax.nn:logsumexp
    sklearn.utils.extmath:logsumexp numpy.logaddexp:reduce
logaddexp  x,y  numpy:logaddexp torch:logaddexp
erf        x  math:erf scipy.special:erf torch:erf torch.special:erf tensorflow.math:erf
erfc       x  math:erfc scipy.special:erfc torch:erfc torch.special:erfc tensorflow.math:erfc
gamma      x  math:gamma scipy.special:gamma
gammaln    x  math:lgamma scipy.special:gammaln,loggamma torch:lgamma torch.special:gammaln
    tensorflow.math:lgamma
factorial  x  math:factorial scipy.special:factorial
xlogy      x,y  scipy.special:xlogy torch:xlogy torch.special:xlogy tensorflow.math:xlogy
entr       x  scipy.special:entr torch.special:entr
rel_entr   x,y  scipy.special:rel_entr,kl_div
normalize  x,@p,@axis,eps  torch.nn.functional:normalize tensorflow.math:l2_normalize
    tensorflow.linalg:l2_normalize sklearn.preprocessing:normalize
add        x,y  numpy:add torch:add tensorflow:add tensorflow.math:add operator:add theano.tensor:add
sub        x,y  numpy:subtract torch:sub,subtract tensorflow:subtract tensorflow.math:subtract operator:sub
    theano.tensor:sub
mul        x,y  numpy:multiply torch:mul,multiply tensorflow:multiply tensorflow.math:multiply operator:mul
    theano.tensor:mul
div        x,y,@out,@where  numpy:divide,true_divide torch:div,divide,true_divide tensorflow:divide,truediv
    tensorflow.math:divide operator:truediv
safe_div   x,y  tensorflow.math:divide_no_nan,multiply_no_nan tensorflow:div_no_nan
floordiv   x,y  numpy:floor_divide torch:floor_divide
mod        x,y  numpy:mod,remainder,fmod torch:remainder,fmod math:fmod
pow        x,y  numpy:power,float_power math:pow torch:pow tensorflow:pow tensorflow.math:pow theano.tensor:pow
    builtins:pow
maximum    x,y  numpy:maximum,fmax torch:maximum,fmax tensorflow:maximum tensorflow.math:maximum
    theano.tensor:maximum tensorflow.keras.backend:maximum
minimum    x,y  numpy:minimum,fmin torch:minimum,fmin tensorflow:minimum tensorflow.math:minimum
    theano.tensor:minimum tensorflow.keras.backend:minimum
hypot      x,y  numpy:hypot torch:hypot math:hypot
clip       x,lo,hi  numpy:clip torch:clamp,clip tensorflow:clip_by_value theano.tensor:clip
    tensorflow.keras.backend:clip jax.lax:clamp
where      cond,x,y  numpy:where torch:where tensorflow:where theano.tensor:switch,where jax.lax:select
    tensorflow.keras.backend:switch
nan_to_num x  numpy:nan_to_num torch:nan_to_num
isnan      x  numpy:isnan math:isnan torch:isnan tensorflow.math:is_nan
isfinite   x  numpy:isfinite math:isfinite torch:isfinite tensorflow.math:is_finite
isinf      x  numpy:isinf math:isinf torch:isinf tensorflow.math:is_inf
isclose    x,y  numpy:isclose,allclose math:isclose torch:isclose,allclose
lt         x,y  numpy:less torch:lt,less tensorflow:less operator:lt
le         x,y  numpy:less_equal torch:le tensorflow:less_equal operator:le
gt         x,y  numpy:greater torch:gt,greater tensorflow:greater operator:gt
ge         x,y  numpy:greater_equal torch:ge tensorflow:greater_equal operator:ge
eq         x,y  numpy:equal torch:eq tensorflow:equal
ne         x,y  numpy:not_equal torch:ne
and        x,y  numpy:logical_and torch:logical_and tensorflow:logical_and
or         x,y  numpy:logical_or torch:logical_or tensorflow:logical_or
not        x  numpy:logical_not torch:logical_not tensorflow:logical_not
sum        x,@axis,@dtype,_,@keepdims  numpy:sum,nansum torch:sum,nansum tensorflow:reduce_sum
    tensorflow.math:reduce_sum theano.tensor:sum tensorflow.keras.backend:sum builtins:sum math:fsum
    numpy.add:reduce
mean       x,@axis,@dtype,_,@keepdims  numpy:mean,nanmean,average torch:mean,nanmean tensorflow:reduce_mean
    tensorflow.math:reduce_mean theano.tensor:mean tensorflow.keras.backend:mean statistics:mean,fmean
median     x,@axis  numpy:median,nanmedian torch:median,nanmedian statistics:median
prod       x,@axis  numpy:prod,product,nanprod torch:prod tensorflow:reduce_prod tensorflow.math:reduce_prod
    theano.tensor:prod math:prod numpy.multiply:reduce
max        x,@axis,_,@keepdims  numpy:max,amax,nanmax torch:max,amax tensorflow:reduce_max
    tensorflow.math:reduce_max theano.tensor:max tensorflow.keras.backend:max builtins:max numpy.maximum:reduce
min        x,@axis,_,@keepdims  numpy:min,amin,nanmin torch:min,amin tensorflow:reduce_min
    tensorflow.math:reduce_min theano.tensor:min builtins:min numpy.minimum:reduce
ptp        x,@axis  numpy:ptp
var        x,@axis,@dtype,_,@ddof,@keepdims  numpy:var,nanvar torch:var tensorflow.math:reduce_variance
    theano.tensor:var tensorflow.keras.backend:var statistics:variance,pvariance
std        x,@axis,@dtype,_,@ddof,@keepdims  numpy:std,nanstd torch:std tensorflow.math:reduce_std
    theano.tensor:std tensorflow.keras.backend:std statistics:stdev,pstdev
norm       x,@ord,@axis,@keepdims  numpy.linalg:norm scipy.linalg:norm torch:norm
    torch.linalg:norm,vector_norm,matrix_norm numpy.linalg:vector_norm tensorflow:norm tensorflow.linalg:norm
any        x,@axis  numpy:any torch:any tensorflow:reduce_any builtins:any
all        x,@axis  numpy:all torch:all tensorflow:reduce_all builtins:all
argmax     x,@axis  numpy:argmax,nanargmax torch:argmax tensorflow:argmax
argmin     x,@axis  numpy:argmin torch:argmin tensorflow:argmin
cumsum     x,@axis  numpy:cumsum torch:cumsum tensorflow:cumsum
cumprod    x,@axis  numpy:cumprod torch:cumprod tensorflow:cumprod tensorflow.math:cumprod
count_nonzero x  numpy:count_nonzero torch:count_nonzero
bincount   x  numpy:bincount torch:bincount
percentile x,q  numpy:percentile,quantile,nanpercentile torch:quantile
cov        x  numpy:cov torch:cov
corrcoef   x  numpy:corrcoef torch:corrcoef
matmul     x,y  numpy:matmul,dot,inner,vdot torch:matmul,mm,bmm,dot,mv,inner,vdot tensorflow:matmul
    tensorflow.linalg:matmul theano.tensor:dot tensorflow.keras.backend:dot numpy.linalg:matmul operator:matmul
    torch.linalg:vecdot numpy:vecdot,matvec
multi_dot  *x  numpy.linalg:multi_dot torch.linalg:multi_dot
outer      x,y  numpy:outer torch:outer,ger
einsum     @subscripts,*x  numpy:einsum torch:einsum tensorflow:einsum
cross      x,y  numpy:cross torch:cross,linalg.cross
inv        x  numpy.linalg:inv scipy.linalg:inv torch:inverse torch.linalg:inv tensorflow.linalg:inv
    tensorflow:matrix_inverse theano.tensor.nlinalg:matrix_inverse
pinv       x,@rcond,@hermitian,@rtol  numpy.linalg:pinv scipy.linalg:pinv,pinv2,pinvh torch:pinverse
    torch.linalg:pinv tensorflow.linalg:pinv
solve      A,b,@assume_a  numpy.linalg:solve scipy.linalg:solve torch.linalg:solve torch:solve
    tensorflow.linalg:solve tensorflow:matrix_solve
tri_solve  A,b  scipy.linalg:solve_triangular torch.linalg:solve_triangular tensorflow.linalg:triangular_solve
cho_solve  A,b  scipy.linalg:cho_solve
cho_factor A  scipy.linalg:cho_factor
lu_factor  A  scipy.linalg:lu_factor
lstsq      A,b,@rcond  numpy.linalg:lstsq scipy.linalg:lstsq torch.linalg:lstsq torch:lstsq
    tensorflow.linalg:lstsq
cholesky   A  numpy.linalg:cholesky scipy.linalg:cholesky torch:cholesky torch.linalg:cholesky
    tensorflow.linalg:cholesky tensorflow:cholesky
det        A  numpy.linalg:det scipy.linalg:det torch:det torch.linalg:det tensorflow.linalg:det
    tensorflow:matrix_determinant theano.tensor.nlinalg:det
slogdet    A  numpy.linalg:slogdet torch:slogdet torch.linalg:slogdet tensorflow.linalg:slogdet
logdet     A  torch:logdet tensorflow.linalg:logdet
eig        A  numpy.linalg:eig scipy.linalg:eig torch.linalg:eig tensorflow.linalg:eig
eigvals    A  numpy.linalg:eigvals scipy.linalg:eigvals torch.linalg:eigvals
eigh       A  numpy.linalg:eigh scipy.linalg:eigh torch.linalg:eigh tensorflow.linalg:eigh
eigvalsh   A  numpy.linalg:eigvalsh scipy.linalg:eigvalsh torch.linalg:eigvalsh
svd        A  numpy.linalg:svd scipy.linalg:svd torch:svd torch.linalg:svd tensorflow.linalg:svd
qr         A  numpy.linalg:qr scipy.linalg:qr torch:qr torch.linalg:qr tensorflow.linalg:qr
matrix_power A,n  numpy.linalg:matrix_power torch:matrix_power torch.linalg:matrix_power
matrix_rank A  numpy.linalg:matrix_rank torch.linalg:matrix_rank
cond       A  numpy.linalg:cond torch.linalg:cond
expm       A  scipy.linalg:expm torch:matrix_exp
trace      x  numpy:trace torch:trace tensorflow.linalg:trace
diag       x  numpy:diag,diagonal,diagflat torch:diag,diagonal,diag_embed tensorflow.linalg:diag,diag_part
    tensorflow:diag
triangle   x  numpy:tril,triu torch:tril,triu scipy.linalg:tril,triu
cdist      x,y,@metric  scipy.spatial.distance:cdist torch:cdist
    sklearn.metrics.pairwise:euclidean_distances,pairwise_distances
pdist      x  scipy.spatial.distance:pdist,squareform torch:pdist torch.nn.functional:pdist
transpose  x,_  numpy:transpose,swapaxes,matrix_transpose torch:transpose,t,swapaxes,permute,adjoint
    tensorflow:transpose tensorflow.linalg:matrix_transpose,adjoint
view       x,_,_  numpy:reshape,ravel,squeeze,expand_dims,atleast_1d,atleast_2d,atleast_3d,copy
    numpy:ascontiguousarray,broadcast_to,flip,roll,sort,moveaxis,rollaxis,tile,repeat,fliplr
    numpy:flipud,require,permute_dims torch:reshape,ravel,squeeze,unsqueeze,flatten,clone,flip,broadcast_to,roll
    tensorflow:reshape,squeeze,expand_dims,identity,tile,reverse,stop_gradient,broadcast_to copy:copy,deepcopy
    theano.tensor:flatten,reshape tensorflow.keras.backend:flatten,reshape torch.autograd:Variable
    jax.lax:stop_gradient jax:device_put torch.nn.functional:dropout builtins:sorted,reversed
    tensorflow.nn:dropout
array      x,@dtype  numpy:array,asarray,asanyarray,asfarray,asmatrix,mat
    torch:tensor,as_tensor,from_numpy,FloatTensor,Tensor,DoubleTensor
    tensorflow:convert_to_tensor,constant,Variable theano:shared builtins:list,tuple collections:deque
    theano.tensor:as_tensor_variable scipy.sparse:csr_matrix,csc_matrix
cast       x,@dtype  tensorflow:cast tensorflow.keras.backend:cast theano.tensor:cast
float      x  builtins:float
int        x  builtins:int
len        x  builtins:len numpy:size torch:numel
shape      x  numpy:shape tensorflow:shape
join       x,@axis  numpy:concatenate,stack,hstack,vstack,column_stack,dstack,append,block
    torch:cat,stack,hstack,vstack,concat,concatenate tensorflow:concat,stack theano.tensor:concatenate,stack
split      x,_  numpy:split,array_split,hsplit,vsplit torch:split,chunk tensorflow:split
take       x,y,@axis  numpy:take,take_along_axis torch:take,masked_select
    tensorflow:gather,boolean_mask,gather_nd
take       x,@axis,y  torch:gather,index_select
zeros      @shape,@dtype  numpy:zeros,zeros_like torch:zeros,zeros_like tensorflow:zeros,zeros_like
    theano.tensor:zeros,zeros_like
ones       @shape,@dtype  numpy:ones,ones_like torch:ones,ones_like tensorflow:ones,ones_like
    theano.tensor:ones,ones_like
full       _,x,@dtype  numpy:full,full_like torch:full,full_like tensorflow:fill
empty      @shape,@dtype  numpy:empty,empty_like torch:empty,empty_like
eye        @shape,_,@dtype  numpy:eye,identity torch:eye tensorflow:eye scipy.sparse:eye,identity
arange     *x  numpy:arange torch:arange tensorflow:range builtins:range
linspace   x,y,_  numpy:linspace torch:linspace tensorflow:linspace
logspace   x,y,_  numpy:logspace,geomspace torch:logspace
gradient   x  numpy:gradient,diff
unique     x  numpy:unique torch:unique builtins:set collections:Counter
argsort    x  numpy:argsort torch:argsort
nonzero    x  numpy:argwhere,nonzero,flatnonzero torch:nonzero,argwhere
polyfit    x,y,@deg  numpy:polyfit
vander     x,@N  numpy:vander
enumerate  x  builtins:enumerate
zip        *x  builtins:zip
map        f,x  builtins:map
logpdf     x  scipy.stats.norm:logpdf,logcdf,logsf scipy.stats.multivariate_normal:logpdf
pdf        x  scipy.stats.norm:pdf scipy.stats.multivariate_normal:pdf scipy.stats.poisson:pmf
    scipy.stats.binom:pmf scipy.stats.gamma:pdf scipy.stats.beta:pdf scipy.stats.t:pdf scipy.stats.expon:pdf
    scipy.stats.multinomial:pmf scipy.stats.laplace:pdf scipy.stats.lognorm:pdf scipy.stats.uniform:pdf
    scipy.stats.nbinom:pmf scipy.stats.bernoulli:pmf
cdf        x  scipy.stats.norm:cdf scipy.special:ndtr torch.special:ndtr scipy.stats.poisson:cdf
    scipy.stats.gamma:cdf scipy.stats.beta:cdf scipy.stats.t:cdf scipy.stats.chi2:cdf scipy.stats.expon:cdf
    scipy.stats.logistic:cdf
sf         x  scipy.stats.norm:sf scipy.stats.t:sf scipy.stats.chi2:sf
bce        x,y  torch.nn.functional:binary_cross_entropy tensorflow.keras.losses:binary_crossentropy
bce_logits x,y  torch.nn.functional:binary_cross_entropy_with_logits
    tensorflow.nn:sigmoid_cross_entropy_with_logits
cross_entropy x,y  torch.nn.functional:cross_entropy
    tensorflow.nn:softmax_cross_entropy_with_logits,sparse_softmax_cross_entropy_with_logits
nll_loss   x,y  torch.nn.functional:nll_loss
mse        x,y  torch.nn.functional:mse_loss sklearn.metrics:mean_squared_error
linear     x,w,b  torch.nn.functional:linear,conv1d,conv2d,conv3d,bilinear
    tensorflow.nn:conv2d,xw_plus_b,bias_add tensorflow.layers:dense,conv2d
layer_norm x  torch.nn.functional:layer_norm,batch_norm,group_norm,instance_norm
"""
"""Functions: operation, signature, names."""

METHODS = """
exp  | exp
expm1 | expm1
log  | log
log1p | log1p
log2 | log2
log10 | log10
sqrt | sqrt
rsqrt | rsqrt
square | square
abs  | abs absolute
neg  | neg negative
sigmoid | sigmoid
tanh | tanh
relu | relu
erf | erf
cos | cos
sin | sin
acos | acos
arccos | arccos
reciprocal | reciprocal
pow y | pow
add y | add
sub y | sub subtract
mul y | mul multiply
div y | div divide true_divide
matmul y | dot matmul mm bmm mv
sum @axis @dtype _ @keepdims | sum
nansum @axis | nansum
mean @axis @dtype _ @keepdims | mean
median @axis | median
prod @axis | prod
max @axis _ @keepdims | max amax
min @axis _ @keepdims | min amin
var @axis @dtype _ @ddof @keepdims | var
std @axis @dtype _ @ddof @keepdims | std
norm @ord @axis @keepdims | norm
any @axis | any
all @axis | all
argmax @axis | argmax
argmin @axis | argmin
cumsum @axis | cumsum
cumprod @axis | cumprod
logsumexp @axis | logsumexp
softmax @axis | softmax
log_softmax @axis | log_softmax
clip lo hi | clip clamp
clamp_min lo | clamp_min
clamp_max hi | clamp_max
inverse | inverse
inv | inv
pinverse | pinverse
det | det
slogdet | slogdet
logdet | logdet
cholesky | cholesky
trace | trace
diag | diag diagonal
t | t
transpose _ | transpose permute swapaxes adjoint
view _ | reshape view ravel flatten squeeze unsqueeze copy clone detach cpu cuda numpy contiguous expand
    expand_as view_as reshape_as repeat item tolist get_value to_numpy toarray todense requires_grad_ dimshuffle
    swapdims tocsr tocsc
cast @dtype | astype type to
half | half
bfloat16 | bfloat16
float | float
double | double
isnan | isnan
ptp @axis | ptp
nonzero | nonzero
split _ | chunk split unbind tensor_split
numel | numel
gather @axis y | gather index_select
take y | masked_select
take y @axis | take
eq y | eq
ne y | ne
lt y | lt
le y | le
gt y | gt
ge y | ge
masked_fill cond y | masked_fill
nan_to_num | nan_to_num
fill_ y | fill_
"""
"""Methods: operation, signature after the receiver, ``|``, method names. A trailing ``_`` (torch) means in place."""

METHOD_OPERATIONS = {
    "inverse": "inv", "pinverse": "pinv", "acos": "arccos", "t": "transpose", "nansum": "sum",
    "numel": "len", "gather": "take",
}  # fmt: skip

LAYERS = """
sigmoid: Sigmoid
tanh: Tanh
relu: ReLU ReLU6
leaky: LeakyReLU ELU SELU GELU SiLU PReLU CELU Mish Hardswish
softmax: Softmax Softmax2d
log_softmax: LogSoftmax
softplus: Softplus
logsigmoid: LogSigmoid
linear: Linear Conv1d Conv2d Conv3d ConvTranspose1d ConvTranspose2d ConvTranspose3d Bilinear LazyLinear
    LazyConv2d Dense
norm_layer: BatchNorm1d BatchNorm2d BatchNorm3d LayerNorm GroupNorm InstanceNorm1d InstanceNorm2d
view: Dropout Dropout2d Dropout3d AlphaDropout Flatten Unflatten Identity
sequential: Sequential
bce: BCELoss
bce_logits: BCEWithLogitsLoss
cross_entropy: CrossEntropyLoss
nll_loss: NLLLoss
mse: MSELoss
"""
"""Layer classes of torch.nn (and keras.layers) and the operation that calling an instance applies."""

KEYWORDS = {
    "dim": "axis", "axes": "axis", "reduction_indices": "axis", "keepdim": "keepdims", "keep_dims": "keepdims",
    "min": "lo", "max": "hi", "a_min": "lo", "a_max": "hi", "clip_value_min": "lo", "clip_value_max": "hi",
    "input": "x", "a": "x", "x1": "x", "x2": "y", "other": "y", "input_tensor": "x", "logits": "x", "tensor": "x",
    "exponent": "y", "correction": "ddof", "unbiased": "unbiased", "p": "ord", "condition": "cond", "x": "x",
    "obj": "x", "object": "x", "t_min": "lo", "t_max": "hi", "fill_value": "x", "mat2": "y", "value": "y",
}  # fmt: skip
"""Keyword names of the libraries and the operand or attribute that they stand for."""

CONSTANTS = {
    "numpy.pi": 3.141592653589793,
    "math.pi": 3.141592653589793,
    "torch.pi": 3.141592653589793,
    "scipy.pi": 3.141592653589793,
    "numpy.e": 2.718281828459045,
    "math.e": 2.718281828459045,
    "numpy.inf": float("inf"),
    "numpy.Inf": float("inf"),
    "numpy.infty": float("inf"),
    "math.inf": float("inf"),
    "torch.inf": float("inf"),
    "numpy.nan": float("nan"),
    "numpy.NaN": float("nan"),
    "math.nan": float("nan"),
    "math.tau": 6.283185307179586,
    "sys.float_info.epsilon": 2.220446049250313e-16,
    "sys.float_info.min": 2.2250738585072014e-308,
    "sys.float_info.max": 1.7976931348623157e308,
}
"""Dotted names of numbers."""

DTYPES = {
    "float16": "float16", "half": "float16", "bfloat16": "bfloat16", "float32": "float32", "single": "float32",
    "float64": "float64", "double": "float64", "float": "float64", "float_": "float64", "longdouble": "float128",
    "int": "int64", "int8": "int8", "int16": "int16", "int32": "int32", "int64": "int64", "long": "int64",
    "uint8": "uint8", "uint16": "uint16", "uint32": "uint32", "uint64": "uint64", "bool": "bool", "bool_": "bool",
    "intp": "int64", "f4": "float32", "f8": "float64", "f2": "float16", "e": "float16", "f": "float32", "d": "float64",
    "complex64": "complex64", "complex128": "complex128",
}  # fmt: skip
"""Last component of a dtype's name, or its string, and the canonical dtype."""


EXPONENTIALS = ("exp", "np.e **", "np.e**", "math.e **", "math.e**", "numpy.e **", "2.718", "power(np.e", "pow(math.e")
"""Texts by which an exponential is written: triggers of the rules about it."""


class Operation(NamedTuple):
    """An entry of the vocabulary: canonical operation and the meaning of its positional arguments."""

    op: str
    signature: tuple[str, ...]


def _entries(table: str) -> list[str]:
    """Lines of a table; an indented line continues the one before it."""
    return table.strip().replace("\n    ", " ").splitlines()


@lru_cache(maxsize=1)
def _functions() -> dict[str, Operation]:
    table: dict[str, Operation] = {}
    for line in _entries(FUNCTIONS):
        op, signature, *groups = line.split()
        entry = Operation(op, tuple(signature.split(",")))
        for group in groups:
            namespace, _, names = group.partition(":")
            for name in names.split(","):
                table[f"{namespace}.{name}"] = entry
    return table


@lru_cache(maxsize=1)
def _methods() -> dict[str, Operation]:
    table: dict[str, Operation] = {}
    for line in _entries(METHODS):
        left, _, names = line.partition("|")
        op, *signature = left.split()
        entry = Operation(METHOD_OPERATIONS.get(op, op), tuple(signature))
        for name in names.split():
            table[name] = entry
    return table


@lru_cache(maxsize=1)
def _layers() -> dict[str, str]:
    table: dict[str, str] = {}
    for line in _entries(LAYERS):
        op, _, names = line.partition(":")
        table.update(dict.fromkeys(names.split(), op))
    return table


@lru_cache(maxsize=4096)
def canonical_name(dotted: str) -> str:
    """Replace the prefix of a library that has another one's names."""
    parts = dotted.split(".")
    for size in (3, 2, 1):
        prefix = ".".join(parts[:size])
        if len(parts) > size - 1 and prefix in SAME_NAMES:
            return ".".join([SAME_NAMES[prefix], *parts[size:]])
    return dotted


@lru_cache(maxsize=4096)
def function(dotted: str) -> Operation | None:
    """Return the operation that the dotted library name `dotted` means, if any."""
    table = _functions()
    return table.get(dotted) or table.get(canonical_name(dotted))


def method(name: str) -> Operation | None:
    """Return the operation that a method of an array or tensor means, if any; in-place names included."""
    table = _methods()
    found = table.get(name)
    if found is None and name.endswith("_") and not name.endswith("__"):
        found = table.get(name[:-1])
    return found


def layer(dotted: str) -> str | None:
    """Return the operation that an instance of the layer class `dotted` applies, if it is one."""
    if not dotted.startswith(("torch.nn.", "keras.layers.", "tensorflow.keras.layers.", "flax.linen.")):
        return None
    return _layers().get(dotted.rpartition(".")[2])


@lru_cache(maxsize=4096)
def framework(dotted: str) -> str:
    """Return the framework that a dotted name belongs to, or ``""``."""
    return FRAMEWORKS.get(dotted.partition(".")[0], "")


def dtype(name: str) -> str:
    """Return the canonical dtype that a dotted name or string means, or ``""``."""
    return DTYPES.get(name.rpartition(".")[2].lstrip("<>=|"), "")
