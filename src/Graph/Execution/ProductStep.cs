using System.Runtime.CompilerServices;
using Fusion.Kernels;

namespace Fusion;

/// <summary>
/// A matrix product or convolution with an element-wise kernel on its result. The kernel runs on every rectangle that the product has finished, on the same thread;
/// narrow products, which have no such rectangles, come first as a whole. The product itself lies where it is wanted, or else where the kernel
/// writes its first result: a kernel may work in place.
/// </summary>
internal sealed unsafe class ProductStep : PlanStep
{
    // Narrower rows are slower one by one, unless they are whole registers, and products of fewer rows are not computed in tiles.
    private const long LeastColumns = 256;
    private const long Register = 16;
    private const long LeastRows = 5;

    private static readonly byte[] s_unbound = new byte[128];

    private readonly System.Collections.Concurrent.ConcurrentBag<NDArray> _aliases = [];
    private readonly OpNode _product;
    private readonly LoweredKernel _kernel;
    private readonly ElementKernel _loop;
    private readonly RowAccess[] _access;
    private readonly bool[] _readsProduct;
    private readonly int _result;
    private readonly RowFrame _frame;
    private readonly bool _inTiles;
    private readonly bool _onDevice;
    private readonly int _arrays;

    private ProductStep(
        PlanGroup group, OpNode product, LoweredKernel kernel, GraphNode[] inputs, OpNode[] outputs, RowAccess[] access, RowFrame frame, bool inTiles, bool onDevice)
        : base(group, inputs, outputs)
    {
        _product = product;
        _kernel = kernel;
        // On a device the first launch compiles.
        _loop = onDevice ? default : kernel.Compile();
        _access = access;
        _readsProduct = Array.ConvertAll(kernel.Inputs, i => ReferenceEquals(Behind(i, group), product));
        _frame = frame;
        _inTiles = inTiles;
        _arrays = access.Where((a, i) => !_readsProduct[i] && a.IsOwn(frame, perRow: false)).Count() + outputs.Length - 1;
        _onDevice = onDevice;
        _result = Array.IndexOf(outputs, product);
        if (_result < 0) _result = Array.FindIndex(outputs, o => o.DType == product.DType);
    }

    public override IEnumerable<LoweredKernel> Kernels => [_kernel];

    /// <summary>The work on the elements, all operands aligned and on the device.</summary>
    public ProductCodeKey Code
    {
        get
        {
            ulong accesses = 0;
            for (int k = 0; k < _kernel.Inputs.Length + _kernel.Outputs.Length; k++)
            {
                ProductAccess access = k >= _kernel.Inputs.Length ? ProductAccess.Own : _readsProduct[k] ? ProductAccess.Product
                    : _access[k].IsOwn(_frame, perRow: false) ? ProductAccess.Own : _access[k].Width > 1 ? ProductAccess.Mapped
                    : _access[k].Period == 1 ? ProductAccess.One : ProductAccess.PerRow;
                accesses |= (ulong)access << (3 * k);
            }

            return new ProductCodeKey(_kernel.Spec, accesses, Outputs.Length > _kernel.Outputs.Length, Quads: true);
        }
    }

    public override IEnumerable<string> Ptx(int capability = 80)
    {
        if (!_onDevice) return base.Ptx(capability);
        bool isConvolution = _product.Op.ProductAxis >= 0, large = !isConvolution && Math.Min(_product.Shape[-2], _product.Shape[-1]) > TileKernels.SmallEdge;
        return [DeviceKernelText.ToPtx(Code, isConvolution, large, capability)];
    }

    public override bool CannotFail => !_onDevice;

    /// <summary>Its kernel may read what it overwrites, element by element; the product itself must not lie there then, nor read it.</summary>
    public override bool CanOverwrite(GraphNode old, OpNode output, HashSet<GraphNode> leaves)
    {
        for (int i = 0; i < Inputs.Length; i++)
        {
            if (!ReferenceEquals(Placement.Root(Inputs[i], leaves), old)) continue;
            if (i < _product.Inputs.Length || ReferenceEquals(Outputs[_result], output) || !ReferenceEquals(Inputs[i], old) || old.Shape != output.Shape) return false;
        }

        return true;
    }

    /// <summary>On finished rectangles of a product, where rows are all as far apart.</summary>
    public override bool Writes(OpNode output, long[] strides)
    {
        if (!_inTiles || !IsProduct(_product) || output.Shape != _product.Shape || Group.Parts[1].Shape != _product.Shape || !AreRows(output.Shape, strides)) return false;
        for (int i = strides.Length - 3; i >= 0; i--)
            if (strides[i] != strides[i + 1] * output.Shape[i + 1]) return false;
        return true;
    }

    public static ProductStep Create(PlanGroup group, GraphFunction function, HashSet<GraphNode> written, bool onDevice)
    {
        OpNode product = group.Parts[0].Members[0];
        PlanGroup part = group.Parts[1];
        HashSet<GraphNode> leaves = function.Leaves;
        RowFrame frame = RowFrame.OfProduct(product);
        bool inTiles = !onDevice && (frame.Columns >= LeastColumns || frame.Columns % Register == 0) && (product.Op.ProductAxis >= 0 || product.Shape[-2] >= LeastRows);
        int axis = frame.Split(part.Shape);
        RowAccess Access(GraphNode node) => RowAccess.Of(node, part.Shape, axis, leaves)!.Value;
        LoweredKernel kernel = LoweredKernel.Lower(part, written.Contains, inTiles ? n => Access(n).Width == 1 : null, function);

        // Inside, the product is an output that the kernel reads: its place among the inputs stays empty.
        GraphNode[] others = [.. kernel.Inputs.Where(i => !ReferenceEquals(Behind(i, group), product))];
        OpNode[] outputs = written.Contains(product) || Updates(kernel, function) ? [product, .. kernel.Outputs] : kernel.Outputs;
        return new ProductStep(group, product, kernel, [.. product.Inputs, .. others], outputs, [.. kernel.Inputs.Select(Access)], frame, inTiles, onDevice);
    }

    public override void Run(ReadOnlySpan<NDArray> inputs, Span<NDArray> outputs)
    {
        NDArray result = outputs[_result];
        NDArray? alias = _product.Shape == Group.Parts[1].Shape ? null : Borrow(result);
        NDArray product = alias is null || result.Shape == _product.Shape ? result : alias;
        ArrayBuffer buffer = default;
        Span<NDArray> read = ((Span<NDArray>)buffer)[.._kernel.Inputs.Length];
        for (int i = 0, other = _product.Inputs.Length; i < read.Length; i++)
            read[i] = _readsProduct[i] ? alias is null || !ReferenceEquals(product, result) ? result : alias : inputs[other++];
        Span<NDArray> written = outputs[(outputs.Length - _kernel.Outputs.Length)..];
        ReadOnlySpan<NDArray> factors = inputs[.._product.Inputs.Length];
        if (product.IsOnGpu)
        {
            RunOnDevice(factors, product, read, written);
        }
        else if (_inTiles)
        {
            Action action = new() { Step = this, Factors = factors, Product = product, Read = read, Written = written };
            ArrayPins.Run(read, written, ref action);
        }
        else
        {
            _product.Op.Product!(factors, _product.Attributes, product, default);
            ElementExecution.Run(_loop, _kernel.ScalarMask, read, written, Group.Parts[1].Shape);
        }

        if (alias is not null) Return(alias);
    }

    private void RunOnDevice(ReadOnlySpan<NDArray> factors, NDArray product, ReadOnlySpan<NDArray> read, ReadOnlySpan<NDArray> written)
    {
        GpuDevice device = product.Accelerator!;
        Sources buffer = default;
        Span<ProductSource> sources = buffer;
        int count = 0;
        for (int i = 0; i < read.Length; i++)
        {
            if (_readsProduct[i]) continue;
            RowAccess access = _access[i];
            DeviceOperand operand = DeviceElementExecution.Operand(read[i], device);
            sources[count++] = new ProductSource(operand, access.IsOwn(_frame, perRow: false), (int)access.Width, (int)access.Divisor, (int)access.Period);
        }

        foreach (NDArray output in written) sources[count++] = new ProductSource(DeviceElementExecution.Operand(output, device), IsOwn: true, 1, 1, 1);
        bool keeps = Outputs.Length > _kernel.Outputs.Length;
        _product.Op.DeviceProduct!(Movement.OnDevice(factors, device), _product.Attributes, product, new ProductWork(_kernel.Spec, _readsProduct, sources[..count], _frame.Columns, keeps));
        foreach (ProductSource source in sources[..count]) GC.KeepAlive(source.Operand.Block);
    }

    // The same memory in the other of the two shapes, that of the product and that of the kernel: handles are kept, so that calls allocate nothing.
    private NDArray Borrow(NDArray result)
    {
        Shape other = result.Shape == _product.Shape ? Group.Parts[1].Shape : _product.Shape;
        if (!_aliases.TryTake(out NDArray? alias)) return result.View(other, result.Offset, null);
        alias.Rebind(result.Storage, result.Offset);
        return alias;
    }

    private void Return(NDArray alias)
    {
        alias.Rebind(s_unbound, 0);
        _aliases.Add(alias);
    }

    private static void Finish(void* context, long row, long rows, long column, long columns)
    {
        ref Epilogue epilogue = ref Unsafe.AsRef<Epilogue>(context);
        RowLoop.Run(epilogue.Loop, epilogue.Operands, epilogue.Inputs, epilogue.Count, row, rows, column, columns, epilogue.Width, RowLoop.Nothing);
    }

    // The kernel reads an array and writes its next value: it can work in place when the product lies elsewhere.
    private static bool Updates(LoweredKernel kernel, GraphFunction function) => function.States.Any(s =>
        s.Array is not null && Array.IndexOf(kernel.Outputs, Placement.Root(s.Value, function.Leaves)) >= 0
        && Array.Exists(kernel.Inputs, i => i is CapturedNode captured && ReferenceEquals(captured.Array, s.Array)));

    private static GraphNode Behind(GraphNode node, PlanGroup group)
    {
        while (node is OpNode { Op.View: not null } view && group.Members.Contains(view)) node = view.Inputs[0];
        return node;
    }

    private ref struct Action : IArrayAction
    {
        public ProductStep Step;
        public ReadOnlySpan<NDArray> Factors;
        public NDArray Product;
        public ReadOnlySpan<NDArray> Read;
        public ReadOnlySpan<NDArray> Written;

        public readonly void Invoke(ReadOnlySpan<nint> pointers)
        {
            RowOperand* operands = stackalloc RowOperand[pointers.Length];
            int inputs = Read.Length;
            for (int i = 0; i < inputs; i++)
            {
                RowAccess access = Step._readsProduct[i] ? Own(Product) : Step._access[i];
                operands[i] = access.At(pointers[i], Read[i].DType, Step._kernel.Spec.Inputs[i].IsScalar);
            }

            for (int i = inputs; i < pointers.Length; i++) operands[i] = Own(Written[i - inputs]).At(pointers[i], Written[i - inputs].DType, isScalar: false);
            Epilogue epilogue = new() { Loop = Step._loop, Operands = operands, Inputs = inputs, Count = pointers.Length, Width = Step._frame.Columns };
            Step._product.Op.Product!(Factors, Step._product.Attributes, Product, new GemmFinish(&Finish, Unsafe.AsPointer(ref epilogue), Step._arrays));
        }

        // Rows of a result may lie apart.
        private readonly RowAccess Own(NDArray array)
        {
            RowAccess own = Step._frame.Own;
            if (array.IsContiguous) return own;
            Span<long> strides = stackalloc long[array.Rank];
            array.CopyStrides(strides);
            return own with { Pitch = strides[^2] };
        }
    }

    private struct Epilogue
    {
        public ElementKernel Loop;
        public RowOperand* Operands;
        public int Inputs;
        public int Count;
        public long Width;
    }

    [InlineArray(ProductOperands.Max)]
    private struct Sources
    {
        private ProductSource _first;
    }
}
